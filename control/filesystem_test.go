package control

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/efs"
	"fargo/aws/iam"
	"fargo/desired"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

const trustsTasks = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// A task mounts what its role's policies and the file system's let it, and does not run when
// they let it mount nothing.
func TestFileSystemPolicies(t *testing.T) {
	const allow, everybody = `{"Statement":[{"Effect":"Allow","Action":"elasticfilesystem:ACTION","Resource":"*"}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"elasticfilesystem:ACTION","Resource":"*"}]}`
	for _, c := range []struct {
		iam              bool
		identity, policy string // "": none
		want             string
	}{
		{false, "", "", "written by root"},
		{false, "", "ClientMount", "read by nobody"},
		{false, "Client*", "DescribeFileSystems", "denied"},
		{true, "", "", "denied"},
		{true, "ClientMount", "", "read by nobody"},
		{true, "ClientMount", "ClientWrite", "written by nobody"},
		{true, "Client*", "", "written by root"},
	} {
		w := newWorld(t)
		w.stop()
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		w.db = db
		seedNetwork(t, w)
		w.update(func(tx *store.Tx) {
			role := fargo.Scope{Account: home.Account}.ARN("iam", "role/task")
			d, _ := store.TaskDefinitionByARN(tx, "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1")
			changed := *d
			changed.Definition.TaskRoleArn = &role
			volume := &ecs.EFSVolumeConfiguration{FileSystemId: new("fs-1"), TransitEncryption: ecs.EFSTransitEncryptionEnabled}
			if c.iam {
				volume.AuthorizationConfig = &ecs.EFSAuthorizationConfig{Iam: ecs.EFSAuthorizationConfigIAMEnabled}
			}
			changed.Definition.Volumes = []ecs.Volume{{Name: new("files"), EfsVolumeConfiguration: volume}}
			store.TaskDefinitions.Put(tx, &changed)
			store.Roles.Put(tx, &record.Role{Account: home.Account, Role: iam.Role{
				RoleName: new("task"), RoleId: new("AROA"), Arn: &role, AssumeRolePolicyDocument: new(trustsTasks),
			}})
			document := ""
			if c.policy != "" {
				document = strings.ReplaceAll(everybody, "ACTION", c.policy)
			}
			store.EFSFileSystems.Put(tx, &record.EFSFileSystem{Scope: home, Policy: document, FileSystem: efs.FileSystemDescription{FileSystemId: new("fs-1"), FileSystemArn: new(home.ARN("elasticfilesystem", "file-system/fs-1"))}})
			store.EFSMountTargets.Put(tx, &record.EFSMountTarget{Scope: home, MountTarget: efs.MountTargetDescription{
				MountTargetId: new("fsmt-1"), FileSystemId: new("fs-1"), VpcId: new("vpc-1"), AvailabilityZoneName: new("us-east-1a"),
			}})
		})
		roles := func(*record.Session) *policy.Caller {
			caller := &policy.Caller{Principal: policy.Principal{Account: home.Account}}
			if c.identity != "" {
				document, err := policy.Parse(strings.ReplaceAll(allow, "ACTION", c.identity))
				if err != nil {
					t.Fatal(err)
				}
				caller.Identity = policy.NewSet(policy.Policy{Document: document})
			}
			return caller
		}
		tasks := Tasks(noImages{}, netip.Prefix{}, egressCheck{log: slog.New(slog.DiscardHandler), warned: &sync.Map{}}, roles, allowed)
		key := w.run().Key()
		w.update(func(tx *store.Tx) {
			if _, err := tasks.Reconcile(tx, key, time.Now()); err != nil {
				t.Fatal(err)
			}
		})
		got, _ := store.Tasks.Get(db.View(), key)
		if said := mountedAs(got); said != c.want {
			t.Errorf("%+v: %s (%s)", c, said, got.StoppedReason)
		}
		db.Close()
	}
}

func mountedAs(t *record.Task) string {
	switch {
	case t.StopCode == fargo.StopTaskFailedToStart && strings.Contains(t.StoppedReason, "access denied"):
		return "denied"
	case len(t.FileSystems) != 1:
		return "not mounted"
	case t.FileSystems[0].ReadOnly:
		return "read by " + squashed(t.FileSystems[0])
	}
	return "written by " + squashed(t.FileSystems[0])
}

func squashed(m desired.FileSystemMount) string {
	if m.SquashRoot {
		return "nobody"
	}
	return "root"
}

// Nodes are told of a deleted file system, also those that come later, until it is long ago.
func TestDeletedFileSystems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.update(func(tx *store.Tx) {
			store.DeleteEFSFileSystem(tx, &record.EFSFileSystem{Scope: home, FileSystem: efs.FileSystemDescription{FileSystemId: new("fs-1")}}, time.Now())
		})
		s := &nodeState{plane: w.plane, node: "a"}
		d := s.begin(w.db.View())
		if got := d.DeletedFileSystems.Put; len(got) != 1 || got[0].ID != "fs-1" {
			t.Errorf("a node that comes is told %v", got)
		}
		time.Sleep(deletionKept + time.Second)
		synctest.Wait()
		if n := len(deletedFileSystems(w.db.View())); n != 0 {
			t.Errorf("%d are known still", n)
		}
	})
}
