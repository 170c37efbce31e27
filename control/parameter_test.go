package control

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fargo/api"
	apissm "fargo/api/ssm"
	awsssm "fargo/aws/ssm"
	"fargo/store"
)

// A parameter that expires is there until then, and one that does not, after.
func TestParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		ctx := api.WithCall(context.Background(), &api.Call{Account: home.Account, Region: home.Region})
		s := apissm.New(apissm.Config{DB: w.db})
		put := func(name string, policies *string) {
			_, err := s.PutParameter(ctx, &awsssm.PutParameterInput{
				Name: &name, Value: new("x"), Type: awsssm.ParameterTypeString, Tier: awsssm.ParameterTierAdvanced, Policies: policies,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		at := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		put("stays", nil)
		put("expires", new(`[{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "`+at+`"}}]`))
		expect := func(want int) {
			t.Helper()
			synctest.Wait()
			got := 0
			for range store.ParameterVersions.All(w.db.View()) {
				got++
			}
			if got != want {
				t.Fatalf("there are %d parameters, not %d", got, want)
			}
		}
		time.Sleep(24*time.Hour - time.Minute)
		expect(2)
		time.Sleep(2 * time.Minute)
		expect(1)
		if _, ok := store.FindParameter(w.db.View(), home, "stays"); !ok {
			t.Error("the parameter that does not expire is gone")
		}
	})
}
