package dispatch

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo"
)

var desireds = rapid.Custom(func(t *rapid.T) fargo.Desired {
	var d fargo.Desired
	for i := range 5 {
		if rapid.Bool().Draw(t, "task") {
			d.Tasks = append(d.Tasks, fargo.Assignment{
				TaskARN: fmt.Sprint("task/", i), ID: fmt.Sprint(i),
				DesiredStatus: rapid.SampledFrom([]fargo.TaskStatus{fargo.TaskRunning, fargo.TaskStopped}).Draw(t, "status"),
			})
		}
		if rapid.Bool().Draw(t, "vpc") {
			d.VPCs = append(d.VPCs, fargo.VPC{
				ID:     fmt.Sprint("vpc-", i),
				Groups: []fargo.SecurityGroup{{ID: rapid.SampledFrom([]string{"sg-1", "sg-2"}).Draw(t, "group")}},
			})
		}
	}
	return d
})

// Whatever the node had, a delta leads it to what the plane wants.
func TestDeltaLeadsToNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, next := desireds.Draw(t, "old"), desireds.Draw(t, "next")
		d, any := diff(old, next)
		got := d.apply(old)
		sorted(&got)
		sorted(&next)
		if !equal(got, next) {
			t.Fatalf("got %+v, want %+v", got, next)
		}
		sorted(&old)
		if any == equal(old, next) {
			t.Fatalf("difference %v between %+v and %+v", any, old, next)
		}
	})
}

func sorted(d *fargo.Desired) {
	slices.SortFunc(d.Tasks, func(a, b fargo.Assignment) int { return strings.Compare(a.TaskARN, b.TaskARN) })
	slices.SortFunc(d.VPCs, func(a, b fargo.VPC) int { return strings.Compare(a.ID, b.ID) })
}

func equal(a, b fargo.Desired) bool {
	same := func(n, m int) bool { return n == 0 && m == 0 }
	return (same(len(a.Tasks), len(b.Tasks)) || reflect.DeepEqual(a.Tasks, b.Tasks)) &&
		(same(len(a.VPCs), len(b.VPCs)) || reflect.DeepEqual(a.VPCs, b.VPCs))
}
