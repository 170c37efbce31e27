package ec2

import (
	"iter"
	"regexp"
	"slices"
	"strings"

	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
)

// Bounds of the filters of one call. Source: EC2 user guide, "List and filter your
// resources".
const (
	maxFilterValues = 200
	maxFilterValue  = 255 // characters
)

// fields are what the resources of a call can be filtered by.
type fields[T any] struct {
	operation string                          // whose documented filters these are
	names     map[string]func(T) []string     // the values that a resource has, by filter
	absent    []string                        // filters that nothing here has a value for
	tags      func(T) []ec2.Tag               // nil where nothing has tags
	check     map[string]func(v string) error // of filters that refuse some values
}

// one lifts an accessor of a single, possibly absent, value.
func one[T any](get func(T) *string) func(T) []string {
	return func(v T) []string {
		if s := get(v); s != nil {
			return []string{*s}
		}
		return nil
	}
}

// each lifts an accessor of what a resource has several of.
func each[T, E any](list func(T) []E, get func(E) *string) func(T) []string {
	return func(v T) (out []string) {
		for _, e := range list(v) {
			if s := get(e); s != nil {
				out = append(out, *s)
			}
		}
		return out
	}
}

// match compiles filters: a resource passes when each filter has a value that
// one of the resource's matches.
// Source: EC2 user guide, "List and filter your resources".
func (f fields[T]) match(filters []ec2.Filter) (func(T) bool, error) {
	if err := checkFilters(filters); err != nil {
		return nil, err
	}
	var tests []func(T) bool
	for _, filter := range filters {
		name := aws.Value(filter.Name)
		get, err := f.accessor(name)
		if err != nil {
			return nil, err
		}
		var wanted []func(string) bool
		for _, v := range filter.Values {
			if check := f.check[name]; check != nil {
				if err := check(v); err != nil {
					return nil, err
				}
			}
			wanted = append(wanted, pattern(v))
		}
		tests = append(tests, func(v T) bool {
			return slices.ContainsFunc(get(v), func(has string) bool {
				return slices.ContainsFunc(wanted, func(is func(string) bool) bool { return is(has) })
			})
		})
	}
	return func(v T) bool {
		return !slices.ContainsFunc(tests, func(passes func(T) bool) bool { return !passes(v) })
	}, nil
}

func checkFilters(filters []ec2.Filter) error {
	values := 0
	for _, filter := range filters {
		if filter.Name == nil {
			return badValue("The filter 'null' is invalid")
		}
		values += len(filter.Values)
		for _, v := range filter.Values {
			if len(v) > maxFilterValue {
				return badValue("A value of the filter '%s' is longer than %d characters.", *filter.Name, maxFilterValue)
			}
		}
	}
	if values > maxFilterValues {
		return protocol.Errorf("FilterLimitExceeded", "The maximum number of filter values specified on a single call is %d", maxFilterValues)
	}
	return nil
}

func (f fields[T]) accessor(name string) (func(T) []string, error) {
	if get, ok := f.names[name]; ok {
		return get, nil
	}
	if slices.Contains(f.absent, name) {
		return func(T) []string { return nil }, nil
	}
	if get := f.tagAccessor(name); get != nil {
		return get, nil
	}
	if f.documents(name) {
		return nil, protocol.Errorf("UnsupportedOperation", "Fargo does not implement the filter %s.", name)
	}
	return nil, badValue("The filter '%s' is invalid", name)
}

func (f fields[T]) documents(name string) bool {
	if key, byKey := strings.CutPrefix(name, "tag:"); byKey {
		return key != "" && slices.Contains(ec2.Filters[f.operation], "tag:")
	}
	return slices.Contains(ec2.Filters[f.operation], name)
}

// tagAccessor is that of the filters by tag, which all resources with tags have; nil
// for other names.
func (f fields[T]) tagAccessor(name string) func(T) []string {
	key, byKey := strings.CutPrefix(name, "tag:")
	switch {
	case f.tags == nil, byKey && key == "":
		return nil
	case byKey:
		return each(f.tags, func(t ec2.Tag) *string {
			if aws.Value(t.Key) == key {
				return new(aws.Value(t.Value))
			}
			return nil
		})
	case name == "tag-key":
		return each(f.tags, func(t ec2.Tag) *string { return t.Key })
	case name == "tag-value":
		return each(f.tags, func(t ec2.Tag) *string { return t.Value })
	}
	return nil
}

// pattern compiles a filter's value: * is for any characters, ? for one, and what
// follows a backslash is itself.
func pattern(value string) func(string) bool {
	if !strings.ContainsAny(value, `*?\`) {
		return func(s string) bool { return s == value }
	}
	var re strings.Builder
	literal := false
	for _, r := range value {
		switch {
		case literal:
			re.WriteString(regexp.QuoteMeta(string(r)))
			literal = false
		case r == '\\':
			literal = true
		case r == '*':
			re.WriteString(".*")
		case r == '?':
			re.WriteByte('.')
		default:
			re.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile(`(?s)\A` + re.String() + `\z`).MatchString
}

// pages are those of all lists: everything at once, unless a call says otherwise.
// Source: EC2 API, MaxResults; its bounds are in the model.
var pages = page.Rules{
	BadToken: func(string) error {
		return protocol.Errorf("InvalidPaginationToken", "The pagination token is invalid.")
	},
}

// query is the common part of the Describe calls.
type query struct {
	ids     []string
	filters []ec2.Filter
	page    page.Request
}

// describe runs a query over items, which come in the order of their ids.
// missing makes the error of an id that is not there.
func describe[T any](items iter.Seq[T], q query, f fields[T], id func(T) string, missing func(string) error) (out []T, next *string, err error) {
	pass, err := f.match(q.filters)
	if err != nil {
		return nil, nil, err
	}
	wanted := map[string]bool{}
	for _, w := range q.ids {
		wanted[w] = true
	}
	found := map[string]bool{}
	var passing []T
	for item := range items {
		i := id(item)
		if len(wanted) > 0 && !wanted[i] {
			continue
		}
		found[i] = true
		if pass(item) {
			passing = append(passing, item)
		}
	}
	for _, w := range q.ids {
		if !found[w] {
			return nil, nil, missing(w)
		}
	}
	return page.Of(q.page, slices.Values(passing), id)
}
