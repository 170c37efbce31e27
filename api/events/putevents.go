package events

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/aws/protocol"
	"fargo/eventbus"
	"fargo/record"
	"fargo/store"
)

// maxEvents is how many bytes all entries of a call may have.
// Source: EventBridge user guide, "Calculating PutEvents event entry size".
const maxEvents = 256 << 10

// PutEvents takes events, each onto its bus. When it answers, what rules have for their
// targets is durable. An event for a bus that is not there is taken too, and lost
// (recorded).
func (s *Server) PutEvents(ctx context.Context, in *events.PutEventsInput) (*events.PutEventsOutput, error) {
	if in.EndpointId != nil {
		return nil, notImplemented("global endpoints")
	}
	size := 0
	for i := range in.Entries {
		size += entrySize(&in.Entries[i])
	}
	if size > maxEvents {
		return nil, invalid("Total size of the entries in the request is over the limit.")
	}
	out := &events.PutEventsOutput{FailedEntryCount: new(int32(0))}
	view, scope := s.read(ctx)
	batch := batch{at: time.Now().UTC()}
	for i := range in.Entries {
		result, err := s.putEvent(view, scope, &in.Entries[i], &batch)
		if err != nil {
			return nil, err
		}
		if result.ErrorCode != nil {
			*out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	return out, s.commit(ctx, &batch)
}

// A batch is what a call has taken.
type batch struct {
	at         time.Time
	deliveries []*record.EventDelivery
	kept       []kept
}

// kept is an event for the history.
type kept struct {
	scope      fargo.Scope
	bus, event string
}

func (s *Server) commit(ctx context.Context, b *batch) error {
	if len(b.deliveries) > 0 {
		err := s.db.Update(ctx, func(tx *store.Tx) error {
			for _, d := range b.deliveries {
				store.EventDeliveries.Put(tx, d)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, k := range b.kept {
		s.keep(ctx, k.scope, k.bus, k.event, b.at)
	}
	return nil
}

// entrySize is what an entry counts. A time counts 14 bytes.
func entrySize(e *events.PutEventsRequestEntry) int {
	size := len(aws.Value(e.Source)) + len(aws.Value(e.DetailType)) + len(aws.Value(e.Detail))
	if e.Time != nil {
		size += 14
	}
	for _, r := range e.Resources {
		size += len(r)
	}
	return size
}

// putEvent takes one event into a batch.
func (s *Server) putEvent(view *store.Snapshot, scope fargo.Scope, in *events.PutEventsRequestEntry, b *batch) (events.PutEventsResultEntry, error) {
	detail, refused := checkEntry(in)
	if refused != nil {
		return events.PutEventsResultEntry{ErrorCode: &refused.Code, ErrorMessage: &refused.Message}, nil
	}
	e := &eventbus.Event{
		ID: uuid.NewString(), Source: *in.Source, DetailType: *in.DetailType, Scope: scope,
		Time: aws.ValueOr(in.Time, b.at), Resources: in.Resources, Detail: detail,
	}
	result := events.PutEventsResultEntry{EventId: &e.ID}
	on, busScope := busOf(scope, in.EventBusName)
	if !store.HasEventBus(view, busScope, on) {
		return result, nil
	}
	deliveries, err := s.router.Route(view, busScope, on, e, b.at)
	if err != nil {
		return result, err
	}
	text, err := e.JSON()
	b.deliveries = append(b.deliveries, deliveries...)
	b.kept = append(b.kept, kept{busScope, on, text})
	return result, err
}

// busOf is the bus that an entry names, which may be one of another account.
func busOf(scope fargo.Scope, given *string) (string, fargo.Scope) {
	name := aws.ValueOr(given, record.DefaultEventBus)
	if a, ok := fargo.ParseARN(name); ok {
		return strings.TrimPrefix(a.Resource, "event-bus/"), a.Scope()
	}
	return name, scope
}

// checkEntry gives the detail of an entry without blanks, or refuses the entry.
func checkEntry(in *events.PutEventsRequestEntry) (json.RawMessage, *protocol.Error) {
	for _, required := range []struct {
		name  string
		value *string
	}{{"Source", in.Source}, {"DetailType", in.DetailType}, {"Detail", in.Detail}} {
		if aws.Value(required.value) == "" {
			return nil, protocol.Errorf("InvalidArgument", "Parameter %s is not valid. Reason: %s is a required argument.", required.name, required.name)
		}
	}
	if strings.HasPrefix(*in.Source, "aws.") {
		return nil, protocol.Errorf("NotAuthorizedForSourceException", "Not authorized for the source.")
	}
	var detail bytes.Buffer
	if json.Compact(&detail, []byte(*in.Detail)) != nil || !bytes.HasPrefix(detail.Bytes(), []byte("{")) {
		return nil, protocol.Errorf("MalformedDetail", "Detail is malformed.")
	}
	return detail.Bytes(), nil
}
