package events

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/record"
	"fargo/store"
)

// CreateConnection makes a connection. Its secret values are sealed, apart from it, and are
// a secret in Secrets Manager.
func (s *Server) CreateConnection(ctx context.Context, in *events.CreateConnectionInput) (*events.CreateConnectionOutput, error) {
	if in.InvocationConnectivityParameters != nil || in.AuthParameters.ConnectivityParameters != nil {
		return nil, notImplemented("private connections")
	}
	if err := checkAuth(in.AuthorizationType, in.AuthParameters); err != nil {
		return nil, err
	}
	out := &events.CreateConnectionOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		if _, ok := store.EventConnections.Get(tx, scope.Key(*in.Name)); ok {
			return events.ResourceAlreadyExistsException("Connection %s already exists.", *in.Name)
		}
		at := now()
		c := &record.EventConnection{Scope: scope, Connection: events.DescribeConnectionOutput{
			Name: in.Name, Description: in.Description, AuthorizationType: in.AuthorizationType, KmsKeyIdentifier: in.KmsKeyIdentifier,
			ConnectionArn: new(scope.ARN("events", "connection/"+*in.Name+"/"+uuid.NewString())),
			CreationTime:  &at,
		}}
		if err := authorize(tx, c, in.AuthParameters); err != nil {
			return err
		}
		*out = events.CreateConnectionOutput{
			ConnectionArn: c.Connection.ConnectionArn, ConnectionState: c.Connection.ConnectionState, CreationTime: &at, LastModifiedTime: &at,
		}
		return nil
	})
}

// checkAuth checks that there are the parameters of a type of authorization, and no other.
func checkAuth(kind events.ConnectionAuthorizationType, p *events.CreateConnectionAuthRequestParameters) error {
	given := map[events.ConnectionAuthorizationType]bool{
		events.ConnectionAuthorizationTypeBasic: p.BasicAuthParameters != nil, events.ConnectionAuthorizationTypeApiKey: p.ApiKeyAuthParameters != nil,
		events.ConnectionAuthorizationTypeOauthClientCredentials: p.OAuthParameters != nil,
	}
	for of, is := range given {
		if is != (of == kind) {
			return invalid("Parameter AuthParameters is not valid. Reason: it must have the parameters of %s, and no others.", kind)
		}
	}
	return nil
}

// authorize gives a connection its parameters, stores it, and stores apart from it what is
// secret. Who gives tokens for OAuth is asked when one is needed.
func authorize(tx *store.Tx, c *record.EventConnection, p *events.CreateConnectionAuthRequestParameters) error {
	shown := &events.ConnectionAuthResponseParameters{}
	if err := convert(p, shown); err != nil {
		return err
	}
	hideSecrets(shown.InvocationHttpParameters)
	if shown.OAuthParameters != nil {
		hideSecrets(shown.OAuthParameters.OAuthHttpParameters)
	}
	d := &c.Connection
	d.AuthParameters = shown
	d.ConnectionState = events.ConnectionStateAuthorized
	if d.AuthorizationType == events.ConnectionAuthorizationTypeOauthClientCredentials {
		d.ConnectionState = events.ConnectionStateAuthorizing
	}
	at := now()
	d.LastModifiedTime, d.LastAuthorizedTime = &at, &at
	if err := keepSecret(tx, c, p, at); err != nil {
		return err
	}
	store.EventConnections.Put(tx, c)
	store.EventConnectionSecrets.Put(tx, &record.EventConnectionSecret{Connection: c.Key(), Parameters: *p})
	return nil
}

// convert fills in the members of to that from has too. Those of to that are secret in from
// do not exist.
func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		return fmt.Errorf("convert the parameters of a connection: %w", err)
	}
	return nil
}

// hideSecrets removes the values that are said to be secret.
func hideSecrets(p *events.ConnectionHttpParameters) {
	if p == nil {
		return
	}
	for i := range p.HeaderParameters {
		if h := &p.HeaderParameters[i]; aws.Value(h.IsValueSecret) {
			h.Value = nil
		}
	}
	for i := range p.QueryStringParameters {
		if q := &p.QueryStringParameters[i]; aws.Value(q.IsValueSecret) {
			q.Value = nil
		}
	}
	for i := range p.BodyParameters {
		if b := &p.BodyParameters[i]; aws.Value(b.IsValueSecret) {
			b.Value = nil
		}
	}
}

// findConnection is a connection; doing says what it is wanted for.
func findConnection(r store.Reader, scope fargo.Scope, name, doing string) (*record.EventConnection, error) {
	c, ok := store.EventConnections.Get(r, scope.Key(name))
	if !ok {
		return nil, events.ResourceNotFoundException("Failed to %s the connection(s). Connection '%s' does not exist.", doing, name)
	}
	return c, nil
}

// UpdateConnection changes what the call names. Parameters are laid over those that the
// connection has, unless it changes its type of authorization.
func (s *Server) UpdateConnection(ctx context.Context, in *events.UpdateConnectionInput) (*events.UpdateConnectionOutput, error) {
	if in.InvocationConnectivityParameters != nil || in.AuthParameters != nil && in.AuthParameters.ConnectivityParameters != nil {
		return nil, notImplemented("private connections")
	}
	out := &events.UpdateConnectionOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		old, err := findConnection(tx, scope, *in.Name, "update")
		if err != nil {
			return err
		}
		changed := *old
		d := &changed.Connection
		if in.Description != nil {
			d.Description = in.Description
		}
		if in.KmsKeyIdentifier != nil {
			d.KmsKeyIdentifier = in.KmsKeyIdentifier
		}
		p := &events.CreateConnectionAuthRequestParameters{}
		if in.AuthorizationType == "" || in.AuthorizationType == d.AuthorizationType {
			if secret, ok := store.EventConnectionSecrets.Get(tx, old.Key()); ok {
				if err := convert(secret.Parameters, p); err != nil {
					return err
				}
			}
		} else {
			d.AuthorizationType = in.AuthorizationType
		}
		if in.AuthParameters != nil {
			if err := convert(in.AuthParameters, p); err != nil {
				return err
			}
		}
		if err := checkAuth(d.AuthorizationType, p); err != nil {
			return err
		}
		if err := authorize(tx, &changed, p); err != nil {
			return err
		}
		*out = events.UpdateConnectionOutput{
			ConnectionArn: d.ConnectionArn, ConnectionState: d.ConnectionState, CreationTime: d.CreationTime,
			LastModifiedTime: d.LastModifiedTime, LastAuthorizedTime: d.LastAuthorizedTime,
		}
		return nil
	})
}

// DescribeConnection shows a connection without its secrets.
func (s *Server) DescribeConnection(ctx context.Context, in *events.DescribeConnectionInput) (*events.DescribeConnectionOutput, error) {
	view, scope := s.read(ctx)
	c, err := findConnection(view, scope, *in.Name, "describe")
	if err != nil {
		return nil, err
	}
	return new(c.Connection), nil
}

// ListConnections lists connections by their names.
func (s *Server) ListConnections(ctx context.Context, in *events.ListConnectionsInput) (*events.ListConnectionsOutput, error) {
	view, scope := s.read(ctx)
	of := only(store.EventConnections.Prefix(view, scope.Key(aws.Value(in.NamePrefix))), func(c *record.EventConnection) bool {
		return in.ConnectionState == "" || c.Connection.ConnectionState == in.ConnectionState
	})
	found, next, err := listed(in, in.NextToken, in.Limit, of, (*record.EventConnection).Key, func(c *record.EventConnection) events.Connection {
		d := &c.Connection
		return events.Connection{
			ConnectionArn: d.ConnectionArn, Name: d.Name, ConnectionState: d.ConnectionState, StateReason: d.StateReason, AuthorizationType: d.AuthorizationType,
			CreationTime: d.CreationTime, LastModifiedTime: d.LastModifiedTime, LastAuthorizedTime: d.LastAuthorizedTime,
		}
	})
	return &events.ListConnectionsOutput{Connections: found, NextToken: next}, err
}

// DeleteConnection deletes a connection with its secrets. API destinations that have it
// reach nothing any more.
func (s *Server) DeleteConnection(ctx context.Context, in *events.DeleteConnectionInput) (*events.DeleteConnectionOutput, error) {
	out := &events.DeleteConnectionOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		c, err := findConnection(tx, scope, *in.Name, "delete")
		if err != nil {
			return err
		}
		store.EventConnections.Delete(tx, c.Key())
		dropSecret(tx, c)
		d := &c.Connection
		*out = events.DeleteConnectionOutput{
			ConnectionArn: d.ConnectionArn, ConnectionState: events.ConnectionStateDeleting, CreationTime: d.CreationTime,
			LastModifiedTime: d.LastModifiedTime, LastAuthorizedTime: d.LastAuthorizedTime,
		}
		return nil
	})
}

// DeauthorizeConnection takes the secrets from a connection.
func (s *Server) DeauthorizeConnection(ctx context.Context, in *events.DeauthorizeConnectionInput) (*events.DeauthorizeConnectionOutput, error) {
	out := &events.DeauthorizeConnectionOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		c, err := findConnection(tx, scope, *in.Name, "deauthorize")
		if err != nil {
			return err
		}
		changed := *c
		d := &changed.Connection
		d.ConnectionState, d.LastModifiedTime, d.SecretArn = events.ConnectionStateDeauthorized, new(now()), nil
		store.EventConnections.Put(tx, &changed)
		dropSecret(tx, c)
		*out = events.DeauthorizeConnectionOutput{
			ConnectionArn: d.ConnectionArn, ConnectionState: d.ConnectionState, CreationTime: d.CreationTime,
			LastModifiedTime: d.LastModifiedTime, LastAuthorizedTime: d.LastAuthorizedTime,
		}
		return nil
	})
}
