package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

var (
	errNoDestination = errors.New("there is no such API destination")
	errNotAuthorized = errors.New("the connection is not authorized")
)

// call sends a delivery to an API destination.
func (t *EventTargets) call(ctx context.Context, d *record.EventDelivery) error {
	view := t.DB.View()
	destination, secret, err := destinationOf(view, *d.Target.Arn)
	if err != nil {
		return err
	}
	p := &secret.Parameters
	body, err := addBody(plan.DeliveryBody(d), p.InvocationHttpParameters)
	if err != nil {
		return &UndeliverableError{"NO_RESOURCE", err}
	}
	to, err := destinationURL(*destination.InvocationEndpoint, d.Target.HttpParameters, p.InvocationHttpParameters)
	if err != nil {
		return &UndeliverableError{"NO_RESOURCE", err}
	}
	r, err := http.NewRequestWithContext(ctx, string(destination.HttpMethod), to, strings.NewReader(body))
	if err != nil {
		return &UndeliverableError{"NO_RESOURCE", err}
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "Amazon/EventBridge/ApiDestinations")
	if h := d.Target.HttpParameters; h != nil {
		for name, value := range h.HeaderParameters {
			r.Header.Set(name, value)
		}
	}
	if h := p.InvocationHttpParameters; h != nil {
		for _, header := range h.HeaderParameters {
			r.Header.Set(aws.Value(header.Key), aws.Value(header.Value))
		}
	}
	if err := t.authorize(ctx, r, p); err != nil {
		return err
	}
	return t.do(r)
}

// destinationOf is an API destination with what its connection keeps secret.
func destinationOf(r store.Reader, arn string) (*events.DescribeApiDestinationOutput, *record.EventConnectionSecret, error) {
	a, _ := fargo.ParseARN(arn)
	name := func(arn string) string { // of …/NAME/ID
		a, _ := fargo.ParseARN(arn)
		parts := strings.Split(a.Resource, "/")
		return parts[min(1, len(parts)-1)]
	}
	d, ok := store.APIDestinations.Get(r, a.Scope().Key(name(arn)))
	if !ok || *d.Destination.ApiDestinationArn != arn {
		return nil, nil, &UndeliverableError{"NO_RESOURCE", errNoDestination}
	}
	c, ok := store.EventConnections.Get(r, a.Scope().Key(name(*d.Destination.ConnectionArn)))
	if !ok || *c.Connection.ConnectionArn != *d.Destination.ConnectionArn {
		return nil, nil, &UndeliverableError{"NO_PERMISSIONS", errNotAuthorized}
	}
	secret, ok := store.EventConnectionSecrets.Get(r, c.Key())
	if !ok {
		return nil, nil, &UndeliverableError{"NO_PERMISSIONS", errNotAuthorized}
	}
	return &d.Destination, secret, nil
}

// destinationURL is an endpoint with its path parameters, each in place of a *, and its
// query.
func destinationURL(endpoint string, target *events.HttpParameters, connection *events.ConnectionHttpParameters) (string, error) {
	if target != nil {
		for _, value := range target.PathParameterValues {
			endpoint = strings.Replace(endpoint, "*", url.PathEscape(value), 1)
		}
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("read the endpoint: %w", err)
	}
	query := u.Query()
	if target != nil {
		for name, value := range target.QueryStringParameters {
			query.Set(name, value)
		}
	}
	if connection != nil {
		for _, q := range connection.QueryStringParameters {
			query.Set(aws.Value(q.Key), aws.Value(q.Value))
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// addBody lays the parameters of a connection over a body that is a JSON object.
func addBody(body string, p *events.ConnectionHttpParameters) (string, error) {
	if p == nil || len(p.BodyParameters) == 0 {
		return body, nil
	}
	members := map[string]any{}
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		return "", fmt.Errorf("add to the body: %w", err)
	}
	for _, b := range p.BodyParameters {
		members[aws.Value(b.Key)] = aws.Value(b.Value)
	}
	text, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("add to the body: %w", err)
	}
	return string(text), nil
}

// authorize says in a request who calls.
func (t *EventTargets) authorize(ctx context.Context, r *http.Request, p *events.CreateConnectionAuthRequestParameters) error {
	switch {
	case p.BasicAuthParameters != nil:
		r.SetBasicAuth(*p.BasicAuthParameters.Username, *p.BasicAuthParameters.Password)
	case p.ApiKeyAuthParameters != nil:
		r.Header.Set(*p.ApiKeyAuthParameters.ApiKeyName, *p.ApiKeyAuthParameters.ApiKeyValue)
	case p.OAuthParameters != nil:
		token, err := t.token(ctx, p.OAuthParameters)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// token asks for a token by OAuth's client credentials.
func (t *EventTargets) token(ctx context.Context, p *events.CreateConnectionOAuthRequestParameters) (string, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {*p.ClientParameters.ClientID}, "client_secret": {*p.ClientParameters.ClientSecret},
	}
	if h := p.OAuthHttpParameters; h != nil {
		for _, b := range h.BodyParameters {
			form.Set(aws.Value(b.Key), aws.Value(b.Value))
		}
	}
	to, err := destinationURL(*p.AuthorizationEndpoint, nil, p.OAuthHttpParameters)
	if err != nil {
		return "", &UndeliverableError{"NO_PERMISSIONS", err}
	}
	r, err := http.NewRequestWithContext(ctx, string(p.HttpMethod), to, strings.NewReader(form.Encode()))
	if err != nil {
		return "", &UndeliverableError{"NO_PERMISSIONS", err}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if h := p.OAuthHttpParameters; h != nil {
		for _, header := range h.HeaderParameters {
			r.Header.Set(aws.Value(header.Key), aws.Value(header.Value))
		}
	}
	answer, err := t.HTTP.Do(r)
	if err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&token)
	if answer.StatusCode/100 != 2 || err != nil || token.AccessToken == "" {
		return "", fmt.Errorf("ask for a token: %w (status %d)", errNotAuthorized, answer.StatusCode)
	}
	return token.AccessToken, nil
}

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 64 << 10

// do sends a request. What is refused will be refused again, but for what HTTP says is
// temporary.
// Source: EventBridge user guide, "API destinations": 401, 407, 409, 429 and 5xx are tried again.
func (t *EventTargets) do(r *http.Request) error {
	answer, err := t.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("call an API destination: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // so that the connection can be used again
	err = fmt.Errorf("call an API destination: status %s", answer.Status)
	switch code := answer.StatusCode; {
	case code/100 == 2:
		return nil
	case code == 401, code == 407, code == 409, code == 429, code >= 500:
		return err
	}
	return &UndeliverableError{"SDK_CLIENT_ERROR", err}
}
