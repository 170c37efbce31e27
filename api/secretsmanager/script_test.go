package secretsmanager_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/secretsmanager"
	kmswire "fargo/aws/kms"
	wire "fargo/aws/secretsmanager"
	"fargo/control"
	"fargo/record"
	"fargo/store"
)

var testScope = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// A setup has a function named "rotate", which rotates as AWS's template does.
type setup struct {
	db     *store.DB
	server *secretsmanager.Server
	calls  []string
	fail   map[string]int // how often a step fails
}

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:rotate"

func open(t *testing.T) *setup {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &setup{db: db, fail: map[string]int{}}
	s.server = secretsmanager.New(secretsmanager.Config{DB: db, Callable: func(arn string) bool { return arn == functionARN }})
	return s
}

func (s *setup) apitest() apitest.Setup {
	return apitest.Setup{
		Services: []api.Mounted{{Service: &wire.API, Server: s.server}},
		Commands: map[string]func(context.Context, string) (string, error){
			"rotated": s.rotated, "fail": s.failing, "due": s.due, "values": s.values, "key": s.key, "text": s.text, "names": s.names,
		},
	}
}

// TestScripts runs the scripts. "rotated" waits until no rotation is under way and tells
// how the function was called, "fail <step>" has that step fail once, and "due" is the day
// on which the controller of secrets is called. "values" are the store keys of all values, and
// "key <state>" makes a KMS key, with the alias "alias/key", or changes its state.
// shows bytes, and "names <filters>" tells
// which secrets pass.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup { return open(t).apitest() })
}

func TestRecorded(t *testing.T) {
	apitest.RunRecorded(t, func(t *testing.T) apitest.Setup { return open(t).apitest() })
}

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

func caller(ctx context.Context) context.Context {
	return api.WithCall(ctx, &api.Call{Account: testScope.Account, Region: testScope.Region})
}

func (s *setup) rotated(ctx context.Context, _ string) (string, error) {
	s.calls = nil
	ctx, cancel := context.WithTimeout(caller(ctx), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	rotations := &control.Rotations{DB: s.db, Functions: s, Logger: slog.New(slog.DiscardHandler)}
	w := s.db.Watch(store.Secrets.Any())
	defer w.Close()
	go func() { ended <- rotations.Run(ctx) }()
	var err error
	for err == nil && s.rotating() {
		_, err = w.Next(ctx)
	}
	cancel()
	return strings.Join(s.calls, "\n"), errors.Join(err, <-ended)
}

func (s *setup) rotating() bool {
	for v := range store.Secrets.By(s.db.View(), store.SecretByRotation, store.Rotating) {
		if v.Rotation.Pending.RetryAt.IsZero() {
			return true
		}
	}
	return false
}

func (s *setup) failing(_ context.Context, step string) (string, error) {
	s.fail[step]++
	return "", nil
}

// due lets the controller of secrets look at all of them on a day from now.
func (s *setup) due(ctx context.Context, days string) (string, error) {
	var n int
	if _, err := fmt.Sscan(days, &n); err != nil {
		return "", err
	}
	c := control.ManagedSecrets()
	return "", s.db.Update(ctx, func(tx *store.Tx) error {
		for key := range c.All(tx) {
			if _, err := c.Reconcile(tx, key, time.Now().AddDate(0, 0, n)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *setup) values(context.Context, string) (string, error) {
	var all []string
	for v := range store.SecretValues.All(s.db.View()) {
		all = append(all, v.Key())
	}
	return strings.Join(all, "\n"), nil
}

func (s *setup) key(ctx context.Context, state string) (string, error) {
	return "", s.db.Update(ctx, func(tx *store.Tx) error {
		id := "11111111-2222-4333-8444-555555555555"
		k := &record.KMSKey{Scope: testScope, Metadata: kmswire.KeyMetadata{
			KeyId: &id, Arn: new(testScope.ARN("kms", "key/"+id)), KeyState: kmswire.KeyState(state),
		}}
		store.KMSKeys.Put(tx, k)
		store.KMSAliases.Put(tx, &record.KMSAlias{Scope: testScope, Name: "alias/key", KeyID: id})
		return nil
	})
}

func (s *setup) names(ctx context.Context, filters string) (string, error) {
	var in wire.ListSecretsInput
	if err := json.Unmarshal([]byte(filters), &in.Filters); err != nil {
		return "", err
	}
	out, err := s.server.ListSecrets(caller(ctx), &in)
	if err != nil {
		return "", err
	}
	var all []string
	for _, e := range out.SecretList {
		all = append(all, *e.Name)
	}
	slices.Sort(all)
	return strings.Join(all, "\n"), nil
}

// text is the value of a secret's version, also of one that JSON cannot show.
func (s *setup) text(ctx context.Context, id string) (string, error) {
	out, err := s.server.GetSecretValue(caller(ctx), &wire.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%q", out.SecretBinary), nil
}

// Invoke implements [control.Functions].
func (s *setup) Invoke(ctx context.Context, _ fargo.Scope, _, function string, event []byte) error {
	var e struct{ Step, SecretId, ClientRequestToken, RotationToken string }
	if err := json.Unmarshal(event, &e); err != nil || function != functionARN {
		return fmt.Errorf("called %s with %s: %w", function, event, err)
	}
	s.calls = append(s.calls, e.Step+" "+e.ClientRequestToken)
	if s.fail[e.Step] > 0 {
		s.fail[e.Step]--
		return errors.New("the database is down")
	}
	ctx = caller(ctx)
	switch e.Step {
	case "createSecret":
		_, err := s.server.GetSecretValue(ctx, &wire.GetSecretValueInput{SecretId: &e.SecretId, VersionId: &e.ClientRequestToken, VersionStage: new("AWSPENDING")})
		if err == nil {
			return nil // made before
		}
		if _, err := s.server.GetSecretValue(ctx, &wire.GetSecretValueInput{SecretId: &e.SecretId}); err != nil {
			return err
		}
		_, err = s.server.PutSecretValue(ctx, &wire.PutSecretValueInput{
			SecretId: &e.SecretId, ClientRequestToken: &e.ClientRequestToken, RotationToken: &e.RotationToken,
			SecretString: new("rotated"), VersionStages: []string{"AWSPENDING"},
		})
		return err
	case "finishSecret":
		d, err := s.server.DescribeSecret(ctx, &wire.DescribeSecretInput{SecretId: &e.SecretId})
		if err != nil {
			return err
		}
		for id, stages := range d.VersionIdsToStages {
			if slices.Contains(stages, "AWSCURRENT") {
				_, err = s.server.UpdateSecretVersionStage(ctx, &wire.UpdateSecretVersionStageInput{
					SecretId: &e.SecretId, VersionStage: new("AWSCURRENT"), MoveToVersionId: &e.ClientRequestToken, RemoveFromVersionId: &id,
				})
			}
		}
		return err
	}
	return nil
}
