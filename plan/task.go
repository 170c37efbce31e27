package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// StoppedRetention is how long a stopped task can still be described. AWS
// promises at least an hour.
// Source: ECS API, DescribeTasks.
const StoppedRetention = time.Hour

// TaskAction is what the control plane should do next for a task.
type TaskAction int

// The actions, and when they are due.
const (
	TaskWait    TaskAction = iota // nothing; another's turn
	TaskPlace                     // give it an interface and a node
	TaskAbandon                   // wanted stopped before it had a node: it is STOPPED
	TaskRelease                   // its node has stopped it: give back what it has of EC2
	TaskDelete                    // stopped long enough: delete it
)

// NextTaskAction decides what a task needs from the control plane, which may yet hold an
// interface or a volume for it. When it
// answers TaskWait with a time, the task should be looked at again then.
func NextTaskAction(t *record.Task, holds bool, now time.Time) (TaskAction, time.Time) {
	switch {
	case t.Stopped() && holds:
		return TaskRelease, time.Time{}
	case t.Stopped():
		if forget := StoppedAt(t).Add(StoppedRetention); now.Before(forget) {
			return TaskWait, forget
		}
		return TaskDelete, time.Time{}
	case t.Node == "" && t.Desired == fargo.TaskStopped:
		return TaskAbandon, time.Time{}
	case t.Node == "":
		return TaskPlace, time.Time{}
	}
	return TaskWait, time.Time{}
}

// StoppedAt is when a stopped task ended.
func StoppedAt(t *record.Task) time.Time {
	if t.Report != nil && !t.Report.StoppedAt.IsZero() {
		return t.Report.StoppedAt
	}
	return t.StoppedAt
}

// Candidate is a subnet that a task may get its interface in.
type Candidate struct {
	Subnet   string
	VPC      string
	Zone     string
	Prefix   netip.Prefix          // the zero Prefix in a subnet that has only IPv6
	Prefix6  netip.Prefix          // the zero Prefix in a subnet without IPv6
	Internet bool                  // whether an interface there may leave the VPC
	Resolver *desired.Resolver     // how its task will resolve names
	Load     int                   // tasks of the same deployment in the zone
	Taken    func(netip.Addr) bool // whether an address is in use
}

// addresses finds an address of each family that the subnet has; ok is false when one
// of them is missing.
// Source: ECS developer guide, "Fargate task networking": in a subnet with an IPv6 block
// the interface also receives an IPv6 address, in one with IPv6 alone nothing else.
func (c *Candidate) addresses(seed string) (four, six netip.Addr, ok bool) {
	four, has4 := FreeAddress(c.Prefix, seed, c.Taken)
	six, has6 := FreeAddress6(c.Prefix6, seed, c.Taken)
	return four, six, has4 == c.Prefix.IsValid() && has6 == c.Prefix6.IsValid() && (has4 || has6)
}

// HasRoom reports whether an interface could have its addresses there.
func (c *Candidate) HasRoom(seed string) bool {
	_, _, ok := c.addresses(seed)
	return ok
}

// PlaceInterface chooses a subnet and an address for a task's interface: where
// its deployment has the fewest tasks, else by the task's id, passing over full
// subnets. The error is the reason to stop the task with, in AWS's words.
// Source: ECS developer guide, "How Amazon ECS places tasks": the default is to
// spread over availability zones.
func PlaceInterface(t *record.Task, id string, candidates []Candidate) (desired.Interface, string, error) {
	start := int(hash(t.ID) % uint32(len(candidates)))
	turn := slices.Concat(candidates[start:], candidates[:start])
	slices.SortStableFunc(turn, func(a, b Candidate) int { return cmp.Compare(a.Load, b.Load) })
	for _, c := range turn {
		addr, six, ok := c.addresses(id)
		if !ok {
			continue
		}
		return desired.Interface{
			ID: id, VPC: c.VPC, Subnet: c.Subnet, Prefix: c.Prefix, Address: addr, IPv6: six, IPv6Prefix: c.Prefix6,
			MAC: macAddress(id), Groups: t.Network.SecurityGroups, Internet: c.Internet, Resolver: c.Resolver,
		}, c.Zone, nil
	}
	return desired.Interface{}, "", noInterface(t, t.Network.Subnets[0], "InsufficientFreeAddressesInSubnet")
}

// noInterface is the reason to stop a task with that EC2 refused an interface.
// Source: ECS developer guide, "Amazon ECS stopped tasks error messages".
func noInterface(t *record.Task, subnet, code string) error {
	public := "disabled"
	if AssignsPublic(t) {
		public = "enabled"
	}
	return fmt.Errorf("Unexpected EC2 error while attempting to Create Network Interface with public IP assignment %s in subnet '%s': %s", public, subnet, code) //nolint:staticcheck // AWS's text
}

// AssignsPublic reports whether a task's interface is to have a public address.
func AssignsPublic(t *record.Task) bool { return t.Network.AssignPublicIp == ecs.AssignPublicIpEnabled }

// PlacePublicAddress chooses a public address for a task's interface; the zero Addr when
// it is to have none, or when there is no range. The error is the reason to stop the
// task with.
func PlacePublicAddress(t *record.Task, i *desired.Interface, of netip.Prefix, taken func(netip.Addr) bool) (netip.Addr, error) {
	if !AssignsPublic(t) || !of.IsValid() || !i.Address.IsValid() {
		return netip.Addr{}, nil
	}
	a, ok := FreePublicAddress(of, i.ID, taken)
	if !ok {
		return a, noInterface(t, i.Subnet, "InsufficientAddressCapacity")
	}
	return a, nil
}

// macAddress makes a locally administered address from an interface id, whose
// digits are random.
func macAddress(id string) string {
	h := id[len(id)-10:]
	return fmt.Sprintf("0a:%s:%s:%s:%s:%s", h[0:2], h[2:4], h[4:6], h[6:8], h[8:10])
}

// Advances reports whether report r says more than what is known of task t: a
// report never moves a task backwards, and one that changes nothing is not
// worth writing. Nor does it change a task that the control plane has ended because
// its node was lost: the node may be back.
func Advances(t *record.Task, r *desired.TaskReport) bool {
	old := t.Report
	if t.Status == fargo.TaskStopped {
		return false
	}
	if old == nil {
		return true
	}
	return !r.Status.Before(old.Status) && !sameReport(old, r)
}

func sameReport(a, b *desired.TaskReport) bool {
	if a.Status != b.Status || a.StopCode != b.StopCode || a.StoppedReason != b.StoppedReason ||
		!a.PullStartedAt.Equal(b.PullStartedAt) || !a.PullStoppedAt.Equal(b.PullStoppedAt) ||
		a.VolumeFailure != b.VolumeFailure || !a.StartedAt.Equal(b.StartedAt) || !a.StoppingAt.Equal(b.StoppingAt) ||
		!a.ExecutionStoppedAt.Equal(b.ExecutionStoppedAt) || !a.StoppedAt.Equal(b.StoppedAt) ||
		len(a.Containers) != len(b.Containers) {
		return false
	}
	for i := range a.Containers {
		x, y := a.Containers[i], b.Containers[i]
		if (x.ExitCode == nil) != (y.ExitCode == nil) || (x.ExitCode != nil && *x.ExitCode != *y.ExitCode) {
			return false
		}
		x.ExitCode, y.ExitCode = nil, nil
		if x != y {
			return false
		}
	}
	return true
}
