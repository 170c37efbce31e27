package record

import (
	"fmt"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ssm"
)

// Parameter is a parameter of Parameter Store, without its versions: each is a record
// of its own, see [ParameterVersion]. The SSM API writes it, and the controller of
// parameters deletes it when it expires.
type Parameter struct {
	Scope fargo.Scope
	Name  string // as it was first put: "database" or "/production/database"
	// Version is the current one. Oldest is the oldest that is still kept: every one
	// between them is.
	Version, Oldest int64
	// Labels are names of versions, which move from one to another.
	Labels map[string]int64 `json:",omitempty"`
	Tags   []ssm.Tag        `json:",omitempty"`
	// Expires is when the parameter is deleted; zero: never.
	Expires time.Time `json:",omitzero"`
}

// Key is the parameter's place in the store.
func (p *Parameter) Key() string { return ParameterKey(p.Scope, p.Name) }

// ParameterKey is the place in the store of the parameter with a name. "x" and "/x"
// are the same parameter.
// Source: AWS, as moto's tests against it have it.
func ParameterKey(scope fargo.Scope, name string) string {
	return scope.Key(strings.TrimPrefix(name, "/"))
}

// ARN is the parameter's ARN.
func (p *Parameter) ARN() string { return ParameterARN(p.Scope, p.Name) }

// ParameterARN is the ARN of the parameter with a name.
func ParameterARN(scope fargo.Scope, name string) string {
	return scope.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// ParameterVersion is what one PutParameter made. Its table is sealed.
type ParameterVersion struct {
	Scope   fargo.Scope
	Name    string // of the parameter
	Version int64  // from 1 on
	Type    ssm.ParameterType
	// Value is the value in clear or, of a SecureString, in base64 what KMS made of it.
	// Package kms gives both in clear: see its Parameter.
	Value          string
	KeyID          string `json:",omitzero"` // of a SecureString, as it was given: "alias/aws/ssm"
	DataType       string
	Description    *string `json:",omitempty"` // nil is not the same as empty
	AllowedPattern *string `json:",omitempty"`
	Tier           ssm.ParameterTier
	Policies       []ssm.ParameterInlinePolicy `json:",omitempty"`
	Modified       time.Time
	ModifiedBy     string // ARN of the caller
}

// Key is the version's place in the store: those of a parameter are in order.
func (v *ParameterVersion) Key() string { return ParameterVersionKey(v.Scope, v.Name, v.Version) }

// ParameterVersionKey is the place in the store of a version.
func ParameterVersionKey(scope fargo.Scope, name string, version int64) string {
	return ParameterKey(scope, name) + ":" + fmt.Sprintf("%019d", version)
}
