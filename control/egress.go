package control

import (
	"log/slog"
	"strings"
	"sync"

	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// egressCheck looks whether Fargate could have prepared a task where it is placed.
type egressCheck struct {
	strict bool // a task that it could not have is not run
	log    *slog.Logger
	warned *sync.Map // what was logged already
}

// check notes in a task that is placed what Fargate could not have reached. reason is why
// the task cannot run, in Fargate's words; it is empty when the task can.
func (e egressCheck) check(tx *store.Tx, t *record.Task) (reason string) {
	d, ok := store.TaskDefinitionByARN(tx, *t.Intent.TaskDefinitionArn)
	if !ok {
		return ""
	}
	i := *t.Interface
	view, public := routing(tx, t.Scope, i.VPC), i.Public.IsValid()
	missing := plan.UnreachableFrom(view, t, &d.Definition, &i, public)
	for _, m := range missing {
		t.Unreachable = append(t.Unreachable, m.Host)
	}
	if !e.strict {
		e.warn(t, i)
		return ""
	}
	if len(missing) > 0 {
		return missing[0].Reason
	}
	return ""
}

// warn logs once for each subnet and definition what is unreachable.
func (e egressCheck) warn(t *record.Task, i desired.Interface) {
	if len(t.Unreachable) == 0 {
		return
	}
	hosts, definition := strings.Join(t.Unreachable, ", "), *t.Intent.TaskDefinitionArn
	if _, known := e.warned.LoadOrStore(i.Subnet+" "+definition+" "+hosts, true); known {
		return
	}
	e.log.Warn("on Fargate this task could not start: its subnet has no way to what it needs (no NAT gateway, endpoint or public address); here the machine fetches it. See fargo up --strict-egress",
		"subnet", i.Subnet, "taskDefinition", definition, "task", t.ARN(), "unreachable", hosts)
}
