package control

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// A volume is made in the name of a role that trusts ECS for the task, and may make a
// volume that says whose it is. Otherwise the task ends, and nothing is made.
func TestInfrastructureRole(t *testing.T) {
	const (
		role   = "arn:aws:iam::123456789012:role/infrastructure"
		trusts = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
		// As the managed policy AmazonECSInfrastructureRolePolicyForVolumes.
		tagged = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:CreateVolume","ec2:CreateTags"],"Resource":"arn:aws:ec2:*:*:volume/*",
			"Condition":{"ArnLike":{"aws:RequestTag/AmazonECSCreated":"arn:aws:ecs:*:*:task/*"},"StringEquals":{"aws:RequestTag/AmazonECSManaged":"true"}}}]}`
		untagged = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:CreateVolume","Resource":"*"}]}`
	)
	elsewhere := strings.ReplaceAll(trusts, `"sts:AssumeRole"`, `"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:ecs:eu-west-1:*"}}`)
	for _, c := range []struct {
		name, trust, policy string
		made                bool
	}{
		{"as AWS says", trusts, tagged, true},
		{"trusts tasks", trustsTasks, tagged, false},
		{"trusts another region", elsewhere, tagged, false},
		{"may not tag", trusts, untagged, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.stop()
			db, err := store.Open(t.Context(), store.NewMemory())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w.db = db
			seedNetwork(t, w)
			document, err := policy.Parse(c.policy)
			if err != nil {
				t.Fatal(err)
			}
			roles := func(*record.Session) *policy.Caller {
				return &policy.Caller{Principal: policy.Principal{Account: home.Account}, Identity: policy.NewSet(policy.Policy{Document: document})}
			}
			placed := *w.run()
			placed.Volume = &record.TaskVolume{Configuration: ecs.TaskVolumeConfiguration{Name: new("data"), ManagedEBSVolume: &ecs.TaskManagedEBSVolumeConfiguration{
				RoleArn: new(role), SizeInGiB: new(int32(1)),
			}}}
			placed.Intent.Attachments = append(placed.Intent.Attachments, ecs.Attachment{})
			tasks := Tasks(noImages{}, netip.Prefix{}, egressCheck{log: slog.New(slog.DiscardHandler), warned: &sync.Map{}}, roles, allowed)
			w.update(func(tx *store.Tx) {
				store.Roles.Put(tx, &record.Role{Account: home.Account, Role: iam.Role{
					RoleName: new("infrastructure"), RoleId: new("AROA"), Arn: new(role), AssumeRolePolicyDocument: &c.trust,
				}})
				store.Tasks.Put(tx, &placed)
				if _, err := tasks.Reconcile(tx, placed.Key(), time.Now()); err != nil {
					t.Fatal(err)
				}
			})
			got, _ := store.Tasks.Get(db.View(), placed.Key())
			volume, attached := holdsVolume(db.View(), got)
			if attached != c.made || got.Stopped() == c.made || (got.Volume.Failure == "") != c.made {
				t.Errorf("volume %v of task %s: %s", volume, got.Status, got.StoppedReason)
			}
			if !c.made && got.StopCode != fargo.StopTaskFailedToStart {
				t.Errorf("stopped with %s", got.StopCode)
			}
		})
	}
}
