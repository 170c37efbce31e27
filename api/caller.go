package api

import (
	"net/netip"
	"strings"
	"time"

	"fargo"
)

// Caller is who sent a request, as the chain has found it out.
type Caller struct {
	// PrincipalARN is "arn:aws:iam::123456789012:user/admin", or
	// "arn:aws:sts::123456789012:assumed-role/web/s1"; empty for somebody unknown.
	PrincipalARN string
	PrincipalID  string // "AIDA…", "AROA…:s1", as STS shows it
	AccessKeyID  string
	// Role is the ARN, with its path, of the role that a session is of.
	Role string
	// Service is the AWS service that acts by itself, "ecs.amazonaws.com". It has
	// no ARN.
	Service string
	// InvokedBy is the AWS service that passes on what the principal asked it for,
	// with the principal's rights: aws:ViaAWSService is true.
	InvokedBy string

	// What the session was given by AssumeRole, or handed on by the session that
	// called it. The map and the list are the record's: they are not changed.
	SessionPolicy     string   // the text of a document; empty for none
	SessionPolicyARNs []string // managed policies that limit the session too
	SessionTags       map[string]string
	SourceIdentity    string
	CredentialsIssued time.Time // of temporary credentials; zero for others

	SourceAddress netip.Addr // of the connection; invalid when it is not known
	Secure        bool       // by TLS
	UserAgent     string
	Referer       string
}

// CallerKind is what aws:PrincipalType says. There is no MFA device: nobody has
// ever shown one.
// Source: IAM user guide, "AWS global condition context keys".
type CallerKind string

// The kinds of callers. An AWS service has no value of aws:PrincipalType.
const (
	RootCaller      CallerKind = "Account"
	UserCaller      CallerKind = "User"
	RoleCaller      CallerKind = "AssumedRole"
	FederatedCaller CallerKind = "FederatedUser"
	UnknownCaller   CallerKind = "Anonymous"
	ServiceCaller   CallerKind = "AWSService"
)

// Kind tells what the caller is from its ARN.
func (c *Caller) Kind() CallerKind {
	if c.Service != "" {
		return ServiceCaller
	}
	a, _ := fargo.ParseARN(c.PrincipalARN)
	kind, _, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "root":
		return RootCaller
	case "user":
		return UserCaller
	case "assumed-role", "role":
		return RoleCaller
	case "federated-user":
		return FederatedCaller
	}
	return UnknownCaller
}

// PrincipalAccount is the account that the caller belongs to; empty for a service
// and for somebody unknown.
func (c *Caller) PrincipalAccount() string {
	a, _ := fargo.ParseARN(c.PrincipalARN)
	return a.Account
}

// UserName is that of an IAM user, without its path; empty for others.
func (c *Caller) UserName() string {
	if c.Kind() != UserCaller {
		return ""
	}
	a, _ := fargo.ParseARN(c.PrincipalARN)
	return a.Name()
}

// SessionName is what a role's session was called by whoever assumed the role;
// empty for others.
func (c *Caller) SessionName() string {
	if _, name, ok := strings.Cut(c.PrincipalARN, ":assumed-role/"); ok {
		_, name, _ = strings.Cut(name, "/")
		return name
	}
	return ""
}
