package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws/events"
	"fargo/aws/secretsmanager"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// secretOwner is EventBridge, as secrets name the service that they are of.
const secretOwner = "events"

// connectionSecret is the value of a connection's secret in Secrets Manager. The members
// for authorization are as AWS has them (recorded), and those of additional parameters
// ours.
type connectionSecret struct {
	Username              string                           `json:"username,omitempty"`
	Password              string                           `json:"password,omitempty"`
	APIKeyName            string                           `json:"api_key_name,omitempty"`
	APIKeyValue           string                           `json:"api_key_value,omitempty"`
	ClientID              string                           `json:"client_id,omitempty"`
	ClientSecret          string                           `json:"client_secret,omitempty"`
	AuthorizationEndpoint string                           `json:"authorization_endpoint,omitempty"`
	HTTPMethod            string                           `json:"http_method,omitempty"`
	Invocation            *events.ConnectionHttpParameters `json:"invocation_http_parameters,omitempty"`
	OAuth                 *events.ConnectionHttpParameters `json:"oauth_http_parameters,omitempty"`
}

// secretOf is the secret of a connection with parameters.
func secretOf(p *events.CreateConnectionAuthRequestParameters) connectionSecret {
	s := connectionSecret{Invocation: p.InvocationHttpParameters}
	switch {
	case p.BasicAuthParameters != nil:
		s.Username, s.Password = *p.BasicAuthParameters.Username, *p.BasicAuthParameters.Password
	case p.ApiKeyAuthParameters != nil:
		s.APIKeyName, s.APIKeyValue = *p.ApiKeyAuthParameters.ApiKeyName, *p.ApiKeyAuthParameters.ApiKeyValue
	case p.OAuthParameters != nil:
		o := p.OAuthParameters
		s.ClientID, s.ClientSecret = *o.ClientParameters.ClientID, *o.ClientParameters.ClientSecret
		s.AuthorizationEndpoint, s.HTTPMethod, s.OAuth = *o.AuthorizationEndpoint, string(o.HttpMethod), o.OAuthHttpParameters
	}
	return s
}

// keepSecret gives the secret of a connection in Secrets Manager a value, and makes the
// secret if there is none.
func keepSecret(tx *store.Tx, c *record.EventConnection, p *events.CreateConnectionAuthRequestParameters, at time.Time) error {
	text, err := json.Marshal(secretOf(p))
	if err != nil {
		return fmt.Errorf("keep the secret of a connection: %w", err)
	}
	s, ok := secretRecord(tx, c)
	if !ok {
		s = newSecret(c, at)
	}
	changed, version := *s, uuid.NewString()
	changed.ChangedAt = at
	versions, dropped, err := plan.AddSecretVersion(s, record.SecretVersion{ID: version, CreatedAt: at}, nil)
	if err != nil {
		return err
	}
	changed.Versions = versions
	for _, id := range dropped {
		store.SecretValues.Delete(tx, record.SecretValueKey(s.ARN, id))
	}
	store.Secrets.Put(tx, &changed)
	store.SecretValues.Put(tx, &record.SecretValue{Secret: s.ARN, Version: version, Text: new(string(text))})
	c.Connection.SecretArn = &changed.ARN
	return nil
}

// newSecret is a secret without a value for a connection.
func newSecret(c *record.EventConnection, at time.Time) *record.Secret {
	name := "events!connection/" + *c.Connection.Name + "/" + uuid.NewString()
	return &record.Secret{
		Scope: c.Scope, Name: name, ARN: c.Scope.ARN("secretsmanager", "secret:"+name+"-"+fargo.NewHex(6)), OwningService: secretOwner,
		Tags:      []secretsmanager.Tag{{Key: new("aws:secretsmanager:owningService"), Value: new(secretOwner)}},
		CreatedAt: at, ChangedAt: at,
	}
}

// secretRecord is the secret of a connection; there is none for one that was made before
// connections had any.
func secretRecord(r store.Reader, c *record.EventConnection) (*record.Secret, bool) {
	if c.Connection.SecretArn == nil {
		return nil, false
	}
	s, ok := store.FindSecret(r, c.Scope, *c.Connection.SecretArn)
	return s, ok && s.OwningService == secretOwner
}

// dropSecret takes away what a connection keeps secret.
func dropSecret(tx *store.Tx, c *record.EventConnection) {
	store.EventConnectionSecrets.Delete(tx, c.Key())
	if s, ok := secretRecord(tx, c); ok {
		store.DeleteSecret(tx, s)
	}
}
