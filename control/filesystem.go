package control

import (
	"iter"
	"slices"
	"strconv"
	"time"

	"fargo/aws"
	"fargo/desired"
	"fargo/plan"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// RolePolicies gives the policies of the session of a role.
type RolePolicies func(s *record.Session) *policy.Caller

// mountFileSystems notes in a task that is placed in a zone how it mounts its EFS volumes.
// reason is why it cannot, in Fargate's words; it is empty when it can.
func mountFileSystems(tx *store.Tx, of RolePolicies, t *record.Task, zone string) (reason string) {
	d, ok := store.TaskDefinitionByARN(tx, *t.Intent.TaskDefinitionArn)
	if !ok {
		return ""
	}
	for i := range d.Definition.Volumes {
		v := plan.EFSVolume{Volume: &d.Definition.Volumes[i]}
		c := v.Volume.EfsVolumeConfiguration
		if c == nil {
			continue
		}
		if f, ok := store.EFSFileSystems.Get(tx, t.Scope.Key(aws.Value(c.FileSystemId))); ok {
			v.FileSystem, v.Targets = f, slices.Collect(store.EFSMountTargets.By(tx, store.ByFileSystem, f.Key()))
		}
		if a := c.AuthorizationConfig; a != nil {
			v.AccessPoint, _ = store.EFSAccessPoints.Get(tx, t.Scope.Key(aws.Value(a.AccessPointId)))
		}
		v.Allowed = func(action string) bool { return mayUse(tx, of, t, d, &v, action) }
		mount, reason := v.Mounted(t, zone)
		if reason != "" {
			return reason
		}
		t.FileSystems = append(t.FileSystems, mount)
	}
	return ""
}

// mayUse reports whether policies let a task do something with the file system of a
// volume. A file system without a policy is open to all who come without a name.
// Source: EFS user guide, "Using IAM to control access to file systems".
func mayUse(r store.Reader, of RolePolicies, t *record.Task, d *record.TaskDefinition, v *plan.EFSVolume, action string) bool {
	context := policy.Values{"aws:securetransport": {strconv.FormatBool(v.Encrypted())}, "elasticfilesystem:accessedviamounttarget": {"true"}}
	if v.AccessPoint != nil {
		context["elasticfilesystem:accesspointarn"] = []string{*v.AccessPoint.AccessPoint.AccessPointArn}
	}
	resource := policy.Resource{ARN: *v.FileSystem.FileSystem.FileSystemArn}
	document, err := policy.Parse(v.FileSystem.Policy)
	written := v.FileSystem.Policy != "" && err == nil
	if written {
		resource.Policies = policy.NewSet(policy.Policy{Name: resource.ARN, Document: document})
	}
	if !v.IAM() {
		return !written || policy.Evaluate(policy.Request{Action: action, Resource: resource.ARN, Context: context}, document) == policy.Allow
	}
	role, ok := assumed(r, plan.TaskRole(t, d), tasksService, t)
	if !ok {
		return false
	}
	return policy.Decide(of(plan.TaskSession(t, role, 0)), action, []policy.Resource{resource}, context).Effect == policy.Allow
}

// deletionKept is for how long nodes are told that a file system was deleted. One that is
// away for longer keeps the files.
const deletionKept = 30 * 24 * time.Hour

// DeletedFileSystems is the controller that forgets which file systems were deleted.
func DeletedFileSystems() Controller {
	return Controller{
		Name: "deletedfilesystem",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.DeletedFileSystems.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table != store.DeletedFileSystems.Name() {
				return slices.Values([]string(nil))
			}
			return slices.Values([]string{c.Key})
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			d, ok := store.DeletedFileSystems.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			if end := d.At.Add(deletionKept); now.Before(end) {
				return end, nil
			}
			store.DeletedFileSystems.Delete(tx, key)
			return time.Time{}, nil
		},
	}
}

func deletedFileSystems(r store.Reader) (all []desired.DeletedFileSystem) {
	for d := range store.DeletedFileSystems.All(r) {
		all = append(all, desired.DeletedFileSystem{ID: d.ID})
	}
	return all
}

// diffDeleted notes that a file system was deleted, or that this is forgotten.
func diffDeleted(view *store.Snapshot, id string, c *desired.Change[desired.DeletedFileSystem]) {
	if _, ok := store.DeletedFileSystems.Get(view, id); ok {
		c.Put = append(c.Put, desired.DeletedFileSystem{ID: id})
	} else {
		c.Gone = append(c.Gone, id)
	}
}
