package page_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fargo/api/page"
)

// Two operations with one parameter each.
type (
	listRevisionsInput struct {
		Family     *string
		NextToken  *string
		MaxResults *int32
	}
	listFamiliesInput listRevisionsInput
)

var (
	errLimit = errors.New("not between 1 and the most")
	errToken = errors.New("not a token")
)

var rules = page.Rules{
	Default: 3, Most: 7,
	BadLimit: func(int) error { return errLimit },
	BadToken: func(string) error { return errToken },
}

func ask(in *listRevisionsInput) page.Request { return rules.Ask(in, in.NextToken, in.MaxResults) }

// Pages give everything that stays, once and in order, whatever goes in between:
// the item that a token names too.
func TestPagesGiveEverythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "items")
		var items []string
		for i := range n {
			items = append(items, fmt.Sprintf("%02d", i))
		}
		descending := rapid.Bool().Draw(t, "descending")
		if descending {
			slices.Reverse(items)
		}
		in := &listRevisionsInput{Family: new("web")}
		gone := map[string]bool{}
		var given []string
		for range n + 1 {
			in.MaxResults = new(int32(rapid.IntRange(1, 7).Draw(t, "max")))
			got, next, err := page.Of(ask(in).Descending(descending), slices.Values(items), page.Itself)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > int(*in.MaxResults) {
				t.Fatalf("a page of %d has %d items", *in.MaxResults, len(got))
			}
			given = append(given, got...)
			if in.NextToken = next; next == nil {
				break
			}
			items = slices.DeleteFunc(items, func(s string) bool {
				gone[s] = gone[s] || rapid.Bool().Draw(t, "goes "+s)
				return gone[s]
			})
		}
		left := slices.DeleteFunc(slices.Clone(given), func(s string) bool { return gone[s] })
		if !slices.Equal(left, items) {
			t.Fatalf("the pages gave %v, and there is %v", given, items)
		}
	})
}

// A list that a call names item by item has that order, which its keys need not
// have.
func TestPagesOfAListOutOfOrder(t *testing.T) {
	items := []string{"c", "a", "d", "b"}
	in := &listRevisionsInput{MaxResults: new(int32(1))}
	var given []string
	for range len(items) + 1 {
		got, next, err := page.Of(ask(in), slices.Values(items), page.Itself)
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, got...)
		if in.NextToken = next; next == nil {
			break
		}
	}
	if !slices.Equal(given, items) {
		t.Errorf("the pages gave %v of %v", given, items)
	}
}

func TestLimits(t *testing.T) {
	items := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}
	for _, c := range []struct {
		rules page.Rules
		limit *int32
		items int
		err   error
	}{
		{rules, nil, 3, nil},
		{rules.WithDefault(5), nil, 5, nil},
		{rules.WithDefault(0), nil, 9, nil},
		{rules, new(int32(7)), 7, nil},
		{rules, new(int32(8)), 0, errLimit},
		{rules, new(int32(0)), 0, errLimit},
		{rules, new(int32(-1)), 0, errLimit},
		{page.Rules{Default: 3}, new(int32(8)), 8, nil},
	} {
		got, next, err := page.Of(c.rules.Ask(&listRevisionsInput{}, nil, c.limit), slices.Values(items), page.Itself)
		if len(got) != c.items || !errors.Is(err, c.err) || (next == nil) == (err == nil && c.items < len(items)) {
			t.Errorf("a page of %v is %v, with token %v and error %v", c.limit, got, next, err)
		}
	}
}

// The first item may have the empty key.
func TestAnEmptyKey(t *testing.T) {
	in := &listRevisionsInput{MaxResults: new(int32(1))}
	_, in.NextToken, _ = page.Of(ask(in), slices.Values([]string{"", "a"}), page.Itself)
	got, next, err := page.Of(ask(in), slices.Values([]string{"", "a"}), page.Itself)
	if !slices.Equal(got, []string{"a"}) || next != nil || err != nil {
		t.Errorf("what follows the empty key is %v, %v, %v", got, next, err)
	}
}

// An empty list is shown as one, not left out.
func TestAnEmptyPageIsAList(t *testing.T) {
	got, next, err := page.Of(ask(&listRevisionsInput{}), slices.Values([]string(nil)), page.Itself)
	if got == nil || len(got) != 0 || next != nil || err != nil {
		t.Errorf("an empty list gives %#v, %v, %v", got, next, err)
	}
}

// A token is good for the question that it answers and no other.
func TestATokenIsOfOneQuestion(t *testing.T) {
	asked := &listRevisionsInput{Family: new("web"), MaxResults: new(int32(2))}
	token := ask(asked).Seal("b")
	for name, c := range map[string]struct {
		q    page.Request
		good bool
	}{
		"the same":             {ask(&listRevisionsInput{Family: new("web"), NextToken: token, MaxResults: new(int32(2))}), true},
		"another length":       {ask(&listRevisionsInput{Family: new("web"), NextToken: token}), true},
		"another parameter":    {ask(&listRevisionsInput{Family: new("api"), NextToken: token}), false},
		"no parameter":         {ask(&listRevisionsInput{NextToken: token}), false},
		"another operation":    {rules.Ask(&listFamiliesInput{Family: new("web"), NextToken: token}, token, nil), false},
		"a token cut short":    {ask(&listRevisionsInput{Family: new("web"), NextToken: new((*token)[:8])}), false},
		"only a key":           {ask(&listRevisionsInput{Family: new("web"), NextToken: new(base64.RawURLEncoding.EncodeToString([]byte("a long enough key")))}), false},
		"what is no base64":    {ask(&listRevisionsInput{Family: new("web"), NextToken: new("!")}), false},
		"a token made up":      {ask(&listRevisionsInput{Family: new("web"), NextToken: new("web")}), false},
		"another key in there": {ask(&listRevisionsInput{Family: new("web"), NextToken: new((*token)[:len(*token)-2] + "Yw")}), false},
	} {
		key, err := c.q.Open()
		if good := err == nil; good != c.good || good && key != "b" || !good && !errors.Is(err, errToken) {
			t.Errorf("%s: %q, %v", name, key, err)
		}
	}
	if key, err := ask(&listRevisionsInput{NextToken: new("")}).Open(); key != "" || err != nil {
		t.Errorf("an empty token asks for %q, %v and not for the first page", key, err)
	}
}

// FuzzOpen looks for a token that breaks what opens it, or that passes unsealed.
func FuzzOpen(f *testing.F) {
	in := &listRevisionsInput{Family: new("web")}
	f.Add(*ask(in).Seal("arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		key, err := rules.Ask(in, &token, nil).Open()
		if err == nil && token != "" && *ask(in).Seal(key) != token {
			t.Errorf("%q opens as %q, which is sealed as %q", token, key, *ask(in).Seal(key))
		}
	})
}
