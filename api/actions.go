package api

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"fargo"
	"fargo/store"
)

// Actions is the authorization table of one service: which IAM actions, resources
// and condition keys its operations stand for. Each service has one, in its
// actions.go.
// Source: Service Authorization Reference, "Actions, resources, and condition keys
// for AWS services".
type Actions struct {
	// Prefix is the service's part of an action's name: "elasticloadbalancing".
	Prefix string
	// TagOnCreate is the action that must be allowed too when a resource is created
	// with tags: "elasticloadbalancing:AddTags". Empty if there is none.
	TagOnCreate string
	// CreateActionKey is the condition key that TagOnCreate has the operation's name
	// in: "elasticloadbalancing:CreateAction". Empty if there is none.
	CreateActionKey string
	Rows            map[string]Row // by operation
	// Other is the row of operations without one, of a service that is forwarded. nil:
	// the action of the operation's name, on "*".
	Other Row
	// Tags looks up the tags of a resource, for aws:ResourceTag. nil if resources of
	// the service have no tags.
	Tags func(r store.Reader, arn string) map[string]string
	// Attributes looks up the value of a condition key that describes a resource
	// ("ec2:vpc"; in lower case). nil if the service has no such keys.
	Attributes func(r store.Reader, arn, key string) []string
	// Policy looks up the policy that is attached to a resource. nil if resources of
	// the service have no policies.
	Policy func(r store.Reader, arn string) (p ResourcePolicy, ok bool)
}

// ResourcePolicy is a policy that is attached to a resource.
type ResourcePolicy struct {
	Document string
	Trust    bool // a role's trust policy, which must allow whatever else does
}

// Row is the entry of one operation in [Actions].
type Row interface {
	// Input is the type of the operation's input; nil for any.
	Input() reflect.Type
	// Keys are the names of the condition keys that the row takes from the input, as AWS
	// spells them, without those of tags.
	Keys() []string
	// HasTags reports whether the input can have tags.
	HasTags() bool
	// IsInferred reports whether the row is in no documentation of AWS that we know,
	// and was made like the rows of similar operations.
	IsInferred() bool
	// accesses lists what must be allowed.
	accesses(q *Query, in any) []Access
	// values gives the values of a condition key (in lower case) from the input.
	values(q *Query, in any, key string) []string
	requestTags(in any) map[string]string
}

// Access is an action on resources that must be allowed.
type Access struct {
	Action    string   // "ecs:RunTask"
	Resources []string // ARNs, all of which must be allowed; "*" for an action without resources
	// Keys are values of condition keys, by their names in lower case. They replace
	// those of the row.
	Keys map[string][]string
}

// Of lists what must be allowed for a call. An operation without a row (a test
// excludes that) needs the action of its name on "*".
func (a *Actions) Of(call *Call, state store.Reader, in any) []Access {
	q := &Query{Call: call, Actions: a, State: state}
	return a.row(call.Operation).accesses(q, in)
}

// Values gives the values of a condition key (in lower case) from a call's input.
func (a *Actions) Values(call *Call, state store.Reader, in any, key string) []string {
	return a.row(call.Operation).values(&Query{Call: call, Actions: a, State: state}, in, key)
}

func (a *Actions) row(operation string) Row {
	if row := a.Rows[operation]; row != nil {
		return row
	}
	if a.Other != nil {
		return a.Other
	}
	return AnyResource[any]()
}

// Query is what a row can use besides the operation's input.
type Query struct {
	*Call
	Actions *Actions
	State   store.Reader
}

// ARN names a resource in the caller's account and region.
func (q *Query) ARN(service, resource string) string { return q.Scope().ARN(service, resource) }

// GlobalARN names a resource of a service without regions.
func (q *Query) GlobalARN(service, resource string) string {
	return fargo.Scope{Account: q.Account}.ARN(service, resource)
}

// TagOnCreate is the access that a call needs to tag what it creates.
func (q *Query) TagOnCreate(created ...string) Access {
	a := Access{Action: q.Actions.TagOnCreate, Resources: created}
	if key := q.Actions.CreateActionKey; key != "" {
		a.Keys = map[string][]string{strings.ToLower(key): {q.Operation}}
	}
	return a
}

// anywhere is the resource of actions without resources.
var anywhere = []string{"*"}

// Rule is a [Row] for an operation whose input is In. [On] and [AnyResource] make
// one; its methods return a changed copy.
type Rule[In any] struct {
	action    string // without the prefix; "" is the operation's name
	inferred  bool
	creates   bool
	resources func(*Query, *In) []string
	tags      func(*In) map[string]string
	keys      map[string]keyValues[In] // by their names in lower case
	prefixed  map[string]func(in *In, rest string) []string
	also      []func(*Query, *In) []Access
	instead   func(*Query, *In) []Access
}

// keyValues are how the values of a condition key are taken from an input.
type keyValues[In any] struct {
	name string // as AWS spells it
	of   func(*Query, *In) []string
}

// On makes the row of an operation on the resources that its input names; "*" if
// it names none.
func On[In any](resources func(*Query, *In) []string) Rule[In] { return Rule[In]{resources: resources} }

// AnyResource makes the row of an operation whose action has no resources.
func AnyResource[In any]() Rule[In] { return Rule[In]{} }

// As sets the action of an operation that is called otherwise: "ListBucket".
func (r Rule[In]) As(action string) Rule[In] {
	r.action = action
	return r
}

// Key sets how the values of a condition key are taken from the input. No values
// mean that the request does not have the key.
func (r Rule[In]) Key(name string, values func(*Query, *In) []string) Rule[In] {
	keys := maps.Clone(r.keys)
	if keys == nil {
		keys = map[string]keyValues[In]{}
	}
	keys[strings.ToLower(name)] = keyValues[In]{name, values}
	r.keys = keys
	return r
}

// KeyPrefix sets how the values are taken from the input of those condition keys that
// begin with a prefix ("kms:EncryptionContext:"); rest is what follows, in lower case.
func (r Rule[In]) KeyPrefix(prefix string, values func(in *In, rest string) []string) Rule[In] {
	r.prefixed = map[string]func(*In, string) []string{strings.ToLower(prefix): values}
	return r
}

// Tags sets how the tags are taken from the input, for aws:RequestTag and
// aws:TagKeys.
func (r Rule[In]) Tags(tags func(*In) map[string]string) Rule[In] {
	r.tags = tags
	return r
}

// Creates marks an operation that creates its resource: with tags in the input,
// [Actions.TagOnCreate] must be allowed on the same resource.
func (r Rule[In]) Creates() Rule[In] {
	r.creates = true
	return r
}

// Also adds what else must be allowed, depending on the input.
func (r Rule[In]) Also(accesses func(*Query, *In) []Access) Rule[In] {
	r.also = append(r.also[:len(r.also):len(r.also)], accesses)
	return r
}

// Instead sets what must be allowed for an operation that has no action of its name.
func (r Rule[In]) Instead(accesses func(*Query, *In) []Access) Rule[In] {
	r.instead = accesses
	return r
}

// Inferred marks a row that is in no documentation of AWS that we know.
func (r Rule[In]) Inferred() Rule[In] {
	r.inferred = true
	return r
}

// Input implements [Row].
func (r Rule[In]) Input() reflect.Type {
	if t := reflect.TypeFor[In](); t.Kind() == reflect.Struct {
		return t
	}
	return nil
}

// Keys implements [Row].
func (r Rule[In]) Keys() []string {
	var names []string
	for _, key := range r.keys {
		names = append(names, key.name)
	}
	slices.Sort(names)
	return names
}

// HasTags implements [Row].
func (r Rule[In]) HasTags() bool { return r.tags != nil }

// IsInferred implements [Row].
func (r Rule[In]) IsInferred() bool { return r.inferred }

// input is the operation's input; nil if the row is for any input.
func (r Rule[In]) input(in any) *In {
	typed, _ := in.(*In)
	return typed
}

func (r Rule[In]) accesses(q *Query, in any) []Access {
	main := Access{Action: q.Actions.Prefix + ":" + cmp.Or(r.action, q.Operation)}
	if r.resources != nil {
		main.Resources = r.resources(q, r.input(in))
	}
	all := []Access{main}
	if r.instead != nil {
		all = r.instead(q, r.input(in))
	}
	if r.creates && q.Actions.TagOnCreate != "" && len(r.requestTags(in)) > 0 {
		all = append(all, q.TagOnCreate(main.Resources...))
	}
	for _, also := range r.also {
		all = append(all, also(q, r.input(in))...)
	}
	for i := range all {
		if len(all[i].Resources) == 0 {
			all[i].Resources = anywhere
		}
	}
	return all
}

func (r Rule[In]) values(q *Query, in any, key string) []string {
	if values, ok := r.keys[key]; ok {
		return values.of(q, r.input(in))
	}
	for prefix, values := range r.prefixed {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			return values(r.input(in), rest)
		}
	}
	return nil
}

func (r Rule[In]) requestTags(in any) map[string]string {
	if r.tags == nil {
		return nil
	}
	return r.tags(r.input(in))
}

// NoPermission is the row of an operation that needs no permission.
var NoPermission Row = noPermission{}

type noPermission struct{}

func (noPermission) Input() reflect.Type                 { return nil }
func (noPermission) Keys() []string                      { return nil }
func (noPermission) HasTags() bool                       { return false }
func (noPermission) IsInferred() bool                    { return false }
func (noPermission) accesses(*Query, any) []Access       { return nil }
func (noPermission) values(*Query, any, string) []string { return nil }
func (noPermission) requestTags(any) map[string]string   { return nil }

// Given is a list of an input's string; empty if the string is absent or empty.
func Given[T ~string](s *T) []string {
	if s == nil || *s == "" {
		return nil
	}
	return []string{string(*s)}
}

// PassRole is iam:PassRole on each of the roles that a service is given. A role
// that is nil or empty needs nothing.
func PassRole(service string, roles ...*string) []Access {
	var all []Access
	for _, role := range roles {
		if role != nil && *role != "" {
			all = append(all, Access{
				Action: "iam:PassRole", Resources: []string{*role},
				Keys: map[string][]string{"iam:passedtoservice": {service}},
			})
		}
	}
	return all
}

// TagMap makes a map of a service's list of tags. A tag without a key is left out.
func TagMap[T any](tags []T, of func(T) (key, value *string)) map[string]string {
	all := make(map[string]string, len(tags))
	for _, t := range tags {
		key, value := of(t)
		if key != nil {
			all[*key] = ""
			if value != nil {
				all[*key] = *value
			}
		}
	}
	return all
}
