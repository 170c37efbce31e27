package ssm_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"fargo/api"
	"fargo/api/kms"
	"fargo/api/ssm"
	wirekms "fargo/aws/kms"
	"fargo/aws/protocol"
	wire "fargo/aws/ssm"
	"fargo/policy"
)

// rolePolicy is that of the role of every caller.
type rolePolicy string

func (p rolePolicy) Of(c *api.Caller) *policy.Caller {
	d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[` + string(p) + `]}`)
	if err != nil {
		panic(err)
	}
	return &policy.Caller{
		Principal: policy.Principal{Account: scope.Account, ARNs: []string{c.PrincipalARN}, Role: c.Role},
		Identity:  policy.NewSet(policy.Policy{Name: "p", Document: d}),
	}
}

// A task whose role may read a parameter reads it also when AWS's own key has encrypted
// it. It needs the right to use another key, which the key's policy must not refuse.
func TestWhoMayDecrypt(t *testing.T) {
	db := open(t)
	s, keys := ssm.New(ssm.Config{DB: db}), kms.New(db)
	const session = "arn:aws:sts::123456789012:assumed-role/web/task"
	as := func(operation string) *api.Call {
		return &api.Call{Service: "ssm", Operation: operation, Account: scope.Account, Region: scope.Region, Caller: api.Caller{
			PrincipalARN: session, Role: "arn:aws:iam::123456789012:role/web", Task: "task",
		}}
	}
	ctx := caller(t.Context())
	admin := api.WithCall(context.Background(), &api.Call{Account: scope.Account, Region: scope.Region, Caller: api.Caller{PrincipalARN: "arn:aws:iam::123456789012:user/admin"}})
	makeKey := func(document *string) string {
		out, err := keys.CreateKey(admin, &wirekms.CreateKeyInput{Policy: document})
		if err != nil {
			t.Fatal(err)
		}
		return *out.KeyMetadata.Arn
	}
	own, closed := makeKey(nil), makeKey(new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/admin"},"Action":"kms:*","Resource":"*"}}`))
	for name, key := range map[string]*string{"default": nil, "own": &own, "closed": &closed} {
		if _, err := s.PutParameter(ctx, &wire.PutParameterInput{Name: &name, Value: new("x"), Type: wire.ParameterTypeSecureString, KeyId: key}); err != nil {
			t.Fatal(err)
		}
	}
	const reads = `{"Effect":"Allow","Action":"ssm:GetParameter*","Resource":"*"}`
	const decrypts = reads + `,{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"ssm.us-east-1.amazonaws.com","kms:EncryptionContextKeys":"PARAMETER_ARN","kms:EncryptionContext:PARAMETER_ARN":"arn:aws:ssm:us-east-1:123456789012:parameter/own"}}}`
	for _, c := range []struct {
		role, name string
		decrypt    bool
		denied     string // what for
	}{
		{reads, "default", true, ""},
		{reads, "own", false, ""},
		{reads, "own", true, "kms:Decrypt on resource: " + own + " because no identity-based policy allows the kms:Decrypt action"},
		{decrypts, "own", true, ""},
		{decrypts, "closed", true, "kms:Decrypt on resource: " + closed + " because no resource-based policy allows the kms:Decrypt action"},
		{`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, "default", true, "ssm:GetParameter on resource: arn:aws:ssm:us-east-1:123456789012:parameter/default because"},
	} {
		a := api.NewEnforcer(api.EnforcerConfig{
			Actions: map[string]*api.Actions{"ssm": ssm.Actions}, Policies: rolePolicy(c.role), State: db.View, Logger: slog.New(slog.DiscardHandler),
		})
		err := a.Authorize(t.Context(), as("GetParameter"), &wire.GetParameterInput{Name: &c.name, WithDecryption: &c.decrypt})
		e := new(protocol.Error)
		if denied := errors.As(err, &e); denied != (c.denied != "") || !strings.Contains(e.Message, c.denied) {
			t.Errorf("%s of %s, decrypted %v: %v", c.role, c.name, c.decrypt, err)
		}
	}
}
