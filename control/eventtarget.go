package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/eventbus"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// EventTargets sends deliveries to their targets, by the kind of the target.
type EventTargets struct {
	DB     *store.DB
	Router *eventbus.Router
	// Assumable reports whether a role exists and trusts an AWS service that acts for a
	// resource.
	Assumable func(r store.Reader, roleARN, service, resourceARN string) bool
	// RunTask runs tasks in scope with a session of a role.
	RunTask func(ctx context.Context, scope fargo.Scope, role string, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error)
	// PutLog writes an event into a log group.
	PutLog func(ctx context.Context, scope fargo.Scope, group, message string, at time.Time) error
	// SendMessage sends a message to a queue.
	SendMessage func(ctx context.Context, queue fargo.ARN, m QueueMessage) error
	// Publish sends a message to a topic.
	Publish   func(ctx context.Context, topic fargo.ARN, subject, message string) error
	Functions interface {
		Functions
		Callable(functionARN string) bool
	}
	// HTTP calls API destinations.
	HTTP *http.Client
}

// QueueMessage is what is sent to a queue of SQS.
type QueueMessage struct {
	Body       string
	Attributes map[string]string // of a dead letter
	GroupID    string            // for FIFO queues; empty for none
	ID         string            // that FIFO queues know repetitions by
}

// topicSubject is the attribute of a delivery to a topic that is its subject.
const topicSubject = "Subject"

// Send is a [Deliverer]'s Send.
func (t *EventTargets) Send(ctx context.Context, d *record.EventDelivery) ([]*record.EventDelivery, error) {
	a, _ := fargo.ParseARN(*d.Target.Arn)
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "ecs":
		return nil, t.runTask(ctx, d)
	case a.Service == "logs":
		group := strings.TrimSuffix(strings.TrimPrefix(a.Resource, "log-group:"), ":*")
		return nil, t.PutLog(ctx, a.Scope(), group, plan.DeliveryBody(d), time.Now())
	case a.Service == "sqs":
		m := QueueMessage{Body: plan.DeliveryBody(d), Attributes: d.Attributes, ID: d.ID}
		if p := d.Target.SqsParameters; p != nil {
			m.GroupID = aws.Value(p.MessageGroupId)
		}
		return nil, permanent(t.SendMessage(ctx, a, m))
	case a.Service == "sns":
		return nil, permanent(t.Publish(ctx, a, d.Attributes[topicSubject], plan.DeliveryBody(d)))
	case a.Service == "lambda":
		return nil, t.invoke(ctx, d)
	case a.Service == "events" && kind == "event-bus":
		return t.forward(d, a.Scope(), name)
	case a.Service == "events" && kind == "api-destination":
		return nil, t.call(ctx, d)
	}
	return nil, &UndeliverableError{"NO_RESOURCE", fmt.Errorf("there is no %s to send to", a.Service)}
}

// errUntrusting says that a role does not exist, or does not trust who would take it on.
var errUntrusting = errors.New("the role of the target cannot be assumed")

// invoke calls a function, each time as another call. It waits for the function, so that a
// crash loses no event that Lambda would have queued.
func (t *EventTargets) invoke(ctx context.Context, d *record.EventDelivery) error {
	function := *d.Target.Arn
	switch {
	case !t.Functions.Callable(function):
		return &UndeliverableError{"NO_RESOURCE", errNoFunction}
	case plan.FromScheduler(d) && !t.Assumable(t.DB.View(), aws.Value(d.Target.RoleArn), schedulerService, plan.DeliverySource(d)):
		return &UndeliverableError{"NO_PERMISSIONS", errUntrusting}
	}
	return t.Functions.Invoke(ctx, d.Scope, fmt.Sprintf("%s %d", d.ID, d.Attempts), function, []byte(plan.DeliveryBody(d)))
}

// errNoFunction says that nothing is given for a function any more.
var errNoFunction = errors.New("there is no such function")

// schedulerService is EventBridge Scheduler, as roles trust it.
const schedulerService = "scheduler.amazonaws.com"

func (t *EventTargets) runTask(ctx context.Context, d *record.EventDelivery) error {
	service := "events.amazonaws.com"
	if plan.FromScheduler(d) {
		service = schedulerService
	}
	role := aws.Value(d.Target.RoleArn)
	if !t.Assumable(t.DB.View(), role, service, plan.DeliverySource(d)) {
		return &UndeliverableError{"NO_PERMISSIONS", errUntrusting}
	}
	in, err := plan.DeliveryTask(d)
	if err != nil {
		return &UndeliverableError{"NO_RESOURCE", err}
	}
	out, err := t.RunTask(ctx, d.Scope, role, in)
	if err != nil {
		return permanent(fmt.Errorf("run a task: %w", err))
	}
	if len(out.Failures) > 0 {
		return fmt.Errorf("run a task: %s", aws.Value(out.Failures[0].Reason))
	}
	return nil
}

// permanent marks errors of a request that will be refused again.
func permanent(err error) error {
	refused := new(protocol.Error)
	switch {
	case !errors.As(err, &refused):
		return err
	case refused.Code == "AccessDeniedException":
		return &UndeliverableError{"NO_PERMISSIONS", err}
	case refused.Code == "QueueDoesNotExist", refused.Code == "AWS.SimpleQueueService.NonExistentQueue":
		return &UndeliverableError{"NO_RESOURCE", err}
	case refused.Code == "NotFound": // of SNS
		return &UndeliverableError{"NO_RESOURCE", err}
	case refused.Code == "AccessDenied", refused.Code == "AuthorizationError":
		return &UndeliverableError{"NO_PERMISSIONS", err}
	case strings.HasSuffix(refused.Code, "NotFoundException"), refused.Code == "ClientException", refused.Code == "InvalidParameterException":
		return &UndeliverableError{"NO_RESOURCE", err}
	}
	return err
}

// forward puts an event onto another bus, under a new id (recorded). It goes no further
// from there.
// Source: EventBridge user guide, "Sending and receiving events between event buses".
func (t *EventTargets) forward(d *record.EventDelivery, scope fargo.Scope, bus string) ([]*record.EventDelivery, error) {
	if d.Forwarded {
		return nil, nil
	}
	view := t.DB.View()
	if !store.HasEventBus(view, scope, bus) {
		return nil, &UndeliverableError{"NO_RESOURCE", fmt.Errorf("there is no event bus %s", bus)}
	}
	e, err := eventbus.Parse(plan.DeliveryBody(d))
	if err != nil {
		return nil, &UndeliverableError{"NO_RESOURCE", err}
	}
	e.ID, e.Forwarded = uuid.NewString(), !plan.FromScheduler(d)
	return t.Router.Route(view, scope, bus, e, time.Now())
}
