package ssm

import (
	"encoding/json"
	"regexp"
	"time"

	"fargo"
	"fargo/aws/ssm"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// secretPrefix is what the name of a parameter begins with that is a secret of Secrets
// Manager: the name of the secret follows.
// Source: Systems Manager user guide, "Referencing AWS Secrets Manager secrets from
// Parameter Store parameters".
const secretPrefix = "/aws/reference/secretsmanager/"

var versionID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// referencedSecret is a secret as a parameter. The selector is the id of a version or a
// staging label.
func referencedSecret(r store.Reader, scope fargo.Scope, id, selector string, decrypt bool) (*ssm.Parameter, error) {
	if !decrypt {
		return nil, invalid("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	name := secretPrefix + id
	gone := ssm.ParameterNotFound("An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret %s not found.", name)
	s, ok := store.FindSecret(r, scope, id)
	if !ok || !s.DeletedAt.IsZero() {
		return nil, gone
	}
	version, stage := "", selector
	if versionID.MatchString(selector) {
		version, stage = selector, ""
	}
	found, err := plan.SecretVersion(s, version, stage)
	if err != nil {
		return nil, gone
	}
	value, ok := store.SecretValues.Get(r, record.SecretValueKey(s.ARN, found))
	if !ok || value.Text == nil {
		return nil, gone
	}
	made := s.Version(found).CreatedAt
	source, err := json.Marshal(secretResult{s.ARN, s.Name, found, *value.Text, s.Version(found).Stages, made})
	if err != nil {
		return nil, err
	}
	p := &ssm.Parameter{
		Name: &name, Type: ssm.ParameterTypeSecureString, Value: value.Text, Version: new(int64(0)), SourceResult: new(string(source)),
		LastModifiedDate: &made, ARN: new(scope.ARN("ssm", "parameter"+name)), DataType: new("text"),
	}
	if selector != "" {
		p.Selector = new(":" + selector)
	}
	return p, nil
}

// secretResult is the answer of GetSecretValue, as a reference shows it.
type secretResult struct {
	ARN           string    `json:"ARN"`
	Name          string    `json:"name"`
	VersionID     string    `json:"versionId"`
	SecretString  string    `json:"secretString"`
	VersionStages []string  `json:"versionStages"`
	CreatedDate   time.Time `json:"createdDate"`
}
