package events_test

import (
	"encoding/json"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/events"
	wire "fargo/aws/events"
	"fargo/eventbus"
	"fargo/store"
)

// Values that are secret are in no answer, and in no record but the sealed one.
func TestConnectionSecrets(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := events.New(events.Config{DB: db, Router: eventbus.NewRouter()})
	ctx := api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion})
	hidden := func(key, value string) *wire.ConnectionHttpParameters {
		return &wire.ConnectionHttpParameters{
			HeaderParameters:      []wire.ConnectionHeaderParameter{{Key: &key, Value: &value, IsValueSecret: new(true)}, {Key: new("open"), Value: new("shown")}},
			QueryStringParameters: []wire.ConnectionQueryStringParameter{{Key: &key, Value: &value, IsValueSecret: new(true)}},
			BodyParameters:        []wire.ConnectionBodyParameter{{Key: &key, Value: &value, IsValueSecret: new(true)}},
		}
	}
	_, err = s.CreateConnection(ctx, &wire.CreateConnectionInput{
		Name: new("c"), AuthorizationType: wire.ConnectionAuthorizationTypeOauthClientCredentials,
		AuthParameters: &wire.CreateConnectionAuthRequestParameters{
			InvocationHttpParameters: hidden("a", "hush-1"),
			OAuthParameters: &wire.CreateConnectionOAuthRequestParameters{
				ClientParameters:      &wire.CreateConnectionOAuthClientRequestParameters{ClientID: new("id"), ClientSecret: new("hush-2")},
				AuthorizationEndpoint: new("https://example.com"), HttpMethod: wire.ConnectionOAuthHttpMethodPost, OAuthHttpParameters: hidden("b", "hush-3"),
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.DescribeConnection(ctx, &wire.DescribeConnectionInput{Name: new("c")})
	if err != nil {
		t.Fatal(err)
	}
	key := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}.Key("c")
	kept, _ := store.EventConnections.Get(db.View(), key)
	for _, v := range []any{out, kept} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hush") || strings.Count(string(text), "shown") != 2 {
			t.Errorf("secrets are shown, or others are not: %s", text)
		}
	}
	secret, ok := store.EventConnectionSecrets.Get(db.View(), key)
	if !ok || *secret.Parameters.OAuthParameters.ClientParameters.ClientSecret != "hush-2" {
		t.Error("the secret is not kept")
	}
}
