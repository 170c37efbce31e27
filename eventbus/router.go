package eventbus

import (
	"slices"
	"sync"
	"time"

	"fargo"
	"fargo/eventpattern"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// A Router finds the rules that events match. It compiles each pattern once, and makes
// the index of a bus again when one of its rules has changed. It may be used by several
// goroutines.
type Router struct {
	mu       sync.Mutex
	version  store.Version
	patterns map[*record.EventRule]*eventpattern.Pattern
	buses    map[string]*bus // by their keys
}

// A bus are the rules of one that are enabled and have a pattern and targets.
type bus struct {
	rules []*record.EventRule
	index *eventpattern.Index[int] // of rules, by their places
}

// NewRouter makes a Router.
func NewRouter() *Router {
	return &Router{patterns: map[*record.EventRule]*eventpattern.Pattern{}, buses: map[string]*bus{}}
}

// Route is what is to be delivered of an event on the bus of that name in scope, by the
// rules in view. received is when the event came.
func (r *Router) Route(view *store.Snapshot, scope fargo.Scope, busName string, e *Event, received time.Time) ([]*record.EventDelivery, error) {
	rules, text, err := r.match(view, scope, busName, e)
	var deliveries []*record.EventDelivery
	for _, rule := range rules {
		deliveries = append(deliveries, Deliveries(rule, e, text, received)...)
	}
	return deliveries, err
}

// Arrival is an event to be routed later; nil when no rule of the bus matches it.
func (r *Router) Arrival(view *store.Snapshot, scope fargo.Scope, busName string, e *Event, received time.Time) (*record.EventArrival, error) {
	rules, text, err := r.match(view, scope, busName, e)
	if len(rules) == 0 {
		return nil, err
	}
	return &record.EventArrival{Scope: scope, Bus: busName, ID: e.ID, Event: text, At: received}, nil
}

// Listens reports whether events on the bus can match a rule at all.
func (r *Router) Listens(view *store.Snapshot, scope fargo.Scope, busName string) bool {
	return r.bus(view, scope.Key(busName)) != nil
}

// match gives the rules of a bus that an event matches, in their order, and its JSON.
func (r *Router) match(view *store.Snapshot, scope fargo.Scope, busName string, e *Event) (rules []*record.EventRule, text string, err error) {
	b := r.bus(view, scope.Key(busName))
	if b == nil {
		return nil, "", nil
	}
	if text, err = e.JSON(); err != nil {
		return nil, "", err
	}
	parsed, err := eventpattern.ParseEvent(text)
	if err != nil {
		return nil, "", err
	}
	matched := b.index.Match(parsed)
	slices.Sort(matched)
	for _, i := range matched {
		rules = append(rules, b.rules[i])
	}
	return rules, text, nil
}

// Deliveries are those of an event, whose JSON is text, to the targets of a rule.
func Deliveries(rule *record.EventRule, e *Event, text string, received time.Time) (all []*record.EventDelivery) {
	for _, t := range rule.Targets {
		all = append(all, &record.EventDelivery{
			Scope: rule.Scope, ID: fargo.NewHex(32), Owner: *rule.Rule.Arn, Target: t,
			Body: plan.EventInput(rule, &t, text, received), Made: received, Forwarded: e.Forwarded,
		})
	}
	return all
}

// bus gives the rules of a bus, nil when no event can match one.
func (r *Router) bus(view *store.Snapshot, key string) *bus {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version := store.EventRules.Version(view); version != r.version {
		r.refresh(view)
		r.version = version
	}
	return r.buses[key]
}

// refresh takes over the rules of a view. What has not changed is kept.
func (r *Router) refresh(view *store.Snapshot) {
	rules := map[string][]*record.EventRule{}
	patterns := map[*record.EventRule]*eventpattern.Pattern{}
	for rule := range store.EventRules.All(view) {
		if rule.Rule.EventPattern == nil || !rule.Enabled() || len(rule.Targets) == 0 {
			continue
		}
		pattern := r.patterns[rule]
		if pattern == nil {
			var err error
			if pattern, err = eventpattern.Parse(*rule.Rule.EventPattern); err != nil {
				continue // PutRule has refused it; nothing matches it
			}
		}
		patterns[rule] = pattern
		key := rule.Scope.Key(*rule.Rule.EventBusName)
		rules[key] = append(rules[key], rule)
	}
	r.patterns = patterns
	buses := map[string]*bus{}
	for key, of := range rules {
		if old := r.buses[key]; old != nil && slices.Equal(old.rules, of) {
			buses[key] = old
			continue
		}
		buses[key] = &bus{of, eventpattern.NewIndex(func(yield func(int, *eventpattern.Pattern) bool) {
			for i, rule := range of {
				if !yield(i, patterns[rule]) {
					return
				}
			}
		})}
	}
	r.buses = buses
}
