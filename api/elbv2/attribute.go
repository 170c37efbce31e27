package elbv2

import (
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
)

// attribute is one of a resource's settings that are texts under a key.
type attribute struct {
	key   string
	value string // by default
	check func(key, value string) error
}

// attributes are all those that one kind of resource has.
type attributes struct {
	of   string // "Load balancer"
	list []attribute
	// twice is what is said of a key that is set twice, and foreign of one that
	// another kind of the resource has; nil when no other has.
	twice   func(key string) error
	foreign func(key string) error
}

// defaults are the attributes of a new resource.
func (a attributes) defaults() map[string]string {
	m := make(map[string]string, len(a.list))
	for _, at := range a.list {
		m[at.key] = at.value
	}
	return m
}

// fill is old with what a has, and nothing else: for a resource that became
// another kind.
func (a attributes) fill(old map[string]string) map[string]string {
	m := a.defaults()
	for k := range m {
		if v, ok := old[k]; ok {
			m[k] = v
		}
	}
	return m
}

// setting is a key and the value it is to have.
type setting struct{ key, value string }

// change lays settings over old.
func (a attributes) change(old map[string]string, settings []setting) (map[string]string, error) {
	m := a.fill(old)
	seen := map[string]bool{}
	for _, s := range settings {
		i := slices.IndexFunc(a.list, func(at attribute) bool { return at.key == s.key })
		if i < 0 && a.foreign != nil {
			if err := a.foreign(s.key); err != nil {
				return nil, err
			}
		}
		if i < 0 {
			return nil, invalid("%s attribute key '%s' is not recognized", a.of, s.key)
		}
		if seen[s.key] {
			return nil, a.twice(s.key)
		}
		seen[s.key] = true
		if err := a.list[i].check(s.key, s.value); err != nil {
			return nil, err
		}
		m[s.key] = s.value
	}
	return m, nil
}

// The checks of values.

func boolean(key, value string) error {
	if value != "true" && value != "false" {
		return invalid("The value of '%s' must be 'true' or 'false', but was '%s'", key, value)
	}
	return nil
}

func oneOf(values ...string) func(key, value string) error {
	return func(_, value string) error {
		if !slices.Contains(values, value) {
			return invalid("'%s' must be one of [%s]", value, strings.Join(values, ", "))
		}
		return nil
	}
}

// orElse is a check that has its own words for what another refuses.
func orElse(check func(key, value string) error, format string, args ...any) func(key, value string) error {
	return func(key, value string) error {
		if check(key, value) != nil {
			return invalid(format, args...)
		}
		return nil
	}
}

func between(low, high int, also ...string) func(key, value string) error {
	return func(key, value string) error {
		n, ok := integer(value)
		if slices.Contains(also, value) || ok && n >= low && n <= high {
			return nil
		}
		return invalid("'%s' value '%s' must be between '%d-%d' inclusive", key, value, low, high)
	}
}

func atMost(length int) func(key, value string) error {
	return func(key, value string) error {
		if len(value) > length {
			return invalid("The value of '%s' cannot contain more than %d characters", key, length)
		}
		return nil
	}
}

// The three kinds of settings on the wire.

func loadBalancerSettings(in []elbv2.LoadBalancerAttribute) []setting {
	out := make([]setting, len(in))
	for i, a := range in {
		out[i] = setting{aws.Value(a.Key), aws.Value(a.Value)}
	}
	return out
}

func targetGroupSettings(in []elbv2.TargetGroupAttribute) []setting {
	out := make([]setting, len(in))
	for i, a := range in {
		out[i] = setting{aws.Value(a.Key), aws.Value(a.Value)}
	}
	return out
}

func listenerSettings(in []elbv2.ListenerAttribute) []setting {
	out := make([]setting, len(in))
	for i, a := range in {
		out[i] = setting{aws.Value(a.Key), aws.Value(a.Value)}
	}
	return out
}

// show makes the wire's list of attributes, in their order.
func show[T any](a attributes, m map[string]string, shape func(key, value *string) T) []T {
	out := make([]T, len(a.list))
	for i, at := range a.list {
		out[i] = shape(&at.key, new(m[at.key]))
	}
	return out
}
