package ec2

import (
	"iter"
	"path"
	"slices"
	"strings"

	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
)

// fields are what a kind of resource can be filtered by: for each filter name,
// the values that a resource has for it. Tag filters work everywhere.
type fields[T any] struct {
	names map[string]func(T) []string
	tags  func(T) []ec2.Tag
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

// match compiles filters: a resource passes when each filter has a value that
// one of the resource's matches. * and ? are wildcards.
// Source: EC2 user guide, "List and filter your resources".
func (f fields[T]) match(filters []ec2.Filter) (func(T) bool, error) {
	var tests []func(T) bool
	for _, filter := range filters {
		get, err := f.accessor(aws.Value(filter.Name))
		if err != nil {
			return nil, err
		}
		wanted := filter.Values
		tests = append(tests, func(v T) bool {
			for _, has := range get(v) {
				for _, want := range wanted {
					if wildcard(want, has) {
						return true
					}
				}
			}
			return false
		})
	}
	return func(v T) bool {
		for _, t := range tests {
			if !t(v) {
				return false
			}
		}
		return true
	}, nil
}

func (f fields[T]) accessor(name string) (func(T) []string, error) {
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		return func(v T) []string {
			for _, t := range f.tags(v) {
				if aws.Value(t.Key) == key {
					return []string{aws.Value(t.Value)}
				}
			}
			return nil
		}, nil
	}
	switch name {
	case "tag-key", "tag-value":
		return func(v T) []string {
			var out []string
			for _, t := range f.tags(v) {
				if name == "tag-key" {
					out = append(out, aws.Value(t.Key))
				} else {
					out = append(out, aws.Value(t.Value))
				}
			}
			return out
		}, nil
	}
	if get, ok := f.names[name]; ok {
		return get, nil
	}
	return nil, badValue("The filter '%s' is invalid", name)
}

// wildcard matches as EC2's filters do. A slash is a character like any other,
// so it is hidden from path.Match, as are brackets, which EC2 takes literally.
func wildcard(pattern, s string) bool {
	if !strings.ContainsAny(pattern, "*?") {
		return pattern == s
	}
	hide := strings.NewReplacer("/", "\x00", "[", `\[`)
	ok, err := path.Match(hide.Replace(pattern), strings.ReplaceAll(s, "/", "\x00"))
	return err == nil && ok
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
