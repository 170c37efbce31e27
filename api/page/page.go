// Package page cuts lists into pages. It knows tokens and limits; what a service
// calls them, how long its pages are and which errors it gives are data that
// each service gives as its [Rules]. It refuses to know what is listed.
//
// A token says after which item the next page begins. It is opaque, and good for
// one question only: the same operation with the same parameters, but for how long
// the page is. That makes lists safe to walk while they change: an item that stays
// is given once, whatever comes and goes in between.
package page

import (
	"iter"
)

// Rules are a service's pages.
type Rules struct {
	// Default is how many items a page has when the call does not say.
	// 0 means all that there are.
	Default int
	// Most is the longest page that a call may ask for. 0 means that the bounds of
	// the API's model suffice, which are checked before the operation runs.
	Most int
	// BadLimit refuses a limit that is not between 1 and Most.
	BadLimit func(most int) error
	// BadToken refuses what is no token, or that of another question.
	BadToken func(token string) error
}

// WithDefault are the same rules with another default.
func (r Rules) WithDefault(items int) Rules {
	r.Default = items
	return r
}

// A Request asks for a page.
type Request struct {
	rules      Rules
	in         any
	token      string
	limit      *int32
	descending bool
}

// Ask makes a request of an operation's input and two of its members: the token
// of the page before, absent for the first, and the most items to give.
func (r Rules) Ask(in any, token *string, limit *int32) Request {
	q := Request{rules: r, in: in, limit: limit}
	if token != nil {
		q.token = *token
	}
	return q
}

// Descending is the same request of a list whose keys descend, if they do.
func (q Request) Descending(descending bool) Request {
	q.descending = descending
	return q
}

// Of gives the page of items that q asks for. It is never nil, so that it is shown
// as an empty list; next is the token of the rest, nil at the end. The page begins
// after the item whose key the token has, or, when that one is gone, with the first
// whose key comes later. Keys must be unique, and in order if items can go.
func Of[T any](q Request, items iter.Seq[T], key func(T) string) (page []T, next *string, err error) {
	limit, err := q.length()
	if err != nil {
		return nil, nil, err
	}
	last, err := q.Open()
	if err != nil {
		return nil, nil, err
	}
	page = []T{}
	begun := q.token == ""
	for item := range items {
		if !begun {
			k := key(item)
			if k == last {
				page, begun = page[:0], true
				continue
			}
			if len(page) > limit || (k > last) == q.descending {
				continue
			}
		}
		if page = append(page, item); begun && len(page) > limit {
			break
		}
	}
	if len(page) > limit {
		page = page[:limit]
		next = q.Seal(key(page[limit-1]))
	}
	return page, next, nil
}

// length is how many items the page has at most.
func (q Request) length() (int, error) {
	const all = int(^uint(0)>>1) - 1
	switch {
	case q.limit == nil && q.rules.Default == 0:
		return all, nil
	case q.limit == nil:
		return q.rules.Default, nil
	case q.rules.Most > 0 && (*q.limit < 1 || int(*q.limit) > q.rules.Most):
		return 0, q.rules.BadLimit(q.rules.Most)
	}
	return max(1, int(*q.limit)), nil
}

// Itself is the key of items that are strings.
func Itself(s string) string { return s }
