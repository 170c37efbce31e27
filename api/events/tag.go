package events

import (
	"context"
	"strings"

	"fargo"
	"fargo/api/arn"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/record"
	"fargo/store"
)

// tagRules are EventBridge's; keys and values have their bounds in the model.
// Source: EventBridge user guide, "Tagging"; the texts are ours.
var tagRules = tags.Rules[events.Tag]{
	Most:      50,
	TooMany:   func(most int) error { return invalid("A resource can have at most %d tags.", most) },
	Reserved:  func(string) error { return invalid("Tag keys that begin with aws: are reserved.") },
	Duplicate: func(key string) error { return invalid("Duplicate tag key '%s'.", key) },
}

// Buses and rules are what tags are given to. An ARN of elsewhere names nothing here.
var (
	busARNs  = arn.Kind{Service: "events", Prefix: "event-bus/", NotOne: notTaggable}
	ruleARNs = arn.Kind{Service: "events", Prefix: "rule/", NotOne: notTaggable}
)

func notTaggable(given string) error {
	return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", given)
}

// tagged finds the bus or the rule that an ARN names.
func tagged(r store.Reader, scope fargo.Scope, given string) (*tags.Resource[events.Tag], error) {
	a, _ := fargo.ParseARN(given)
	if strings.HasPrefix(a.Resource, busARNs.Prefix) {
		_, name, err := busARNs.Parse(scope, given)
		if err != nil {
			return nil, err
		}
		b, err := bus(r, scope, &name)
		if err != nil {
			return nil, err
		}
		return tags.Of(store.EventBuses, b, func(b *record.EventBus) *[]events.Tag { return &b.Tags }), nil
	}
	_, name, err := ruleARNs.Parse(scope, given)
	if err != nil {
		return nil, err
	}
	on := record.DefaultEventBus
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		on, name = name[:i], name[i+1:]
	}
	rule, err := findRule(r, scope, &name, &on)
	if err != nil {
		return nil, err
	}
	return tags.Of(store.EventRules, rule, func(r *record.EventRule) *[]events.Tag { return &r.Tags }), nil
}

func (s *Server) changeTags(ctx context.Context, given string, change func([]events.Tag) ([]events.Tag, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		resource, err := tagged(tx, scope, given)
		if err != nil {
			return err
		}
		return resource.Change(tx, change)
	})
}

// TagResource adds tags to a bus or a rule, or gives them other values.
func (s *Server) TagResource(ctx context.Context, in *events.TagResourceInput) (*events.TagResourceOutput, error) {
	return &events.TagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, func(has []events.Tag) ([]events.Tag, error) {
		return tagRules.Merge(has, in.Tags)
	})
}

// UntagResource takes tags away.
func (s *Server) UntagResource(ctx context.Context, in *events.UntagResourceInput) (*events.UntagResourceOutput, error) {
	return &events.UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, func(has []events.Tag) ([]events.Tag, error) {
		return tagRules.Remove(has, in.TagKeys)
	})
}

// ListTagsForResource shows the tags of a bus or a rule.
func (s *Server) ListTagsForResource(ctx context.Context, in *events.ListTagsForResourceInput) (*events.ListTagsForResourceOutput, error) {
	view, scope := s.read(ctx)
	resource, err := tagged(view, scope, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &events.ListTagsForResourceOutput{Tags: aws.List(resource.Tags)}, nil
}
