package apitest

import (
	"encoding/json"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, want, got string
		unordered, ok   bool
	}{
		{name: "equal", want: `{"a": [1, true, "x"]}`, got: `{"a": [1, true, "x"]}`, ok: true},
		{name: "names as Go spells them", want: `{"logGroups": []}`, got: `{"LogGroups": []}`, ok: true},
		{name: "a member that AWS leaves out", want: `{}`, got: `{"Tags": []}`},
		{name: "a member that is absent", want: `{"Tags": []}`, got: `{}`},
		{name: "another text", want: `"x"`, got: `"y"`},
		{name: "another number", want: `1`, got: `2`},
		{name: "a time", want: `{"CreateDate": "datetime"}`, got: `{"CreateDate": "2026-11-29T00:00:00Z"}`, ok: true},
		{name: "no time", want: `{"CreateDate": "datetime"}`, got: `{"CreateDate": null}`},
		{name: "one placeholder twice", want: `["<id:1>", "<id:1>"]`, got: `["a", "a"]`, ok: true},
		{name: "one placeholder for two values", want: `["<id:1>", "<id:1>"]`, got: `["a", "b"]`},
		{name: "in a text", want: `["arn:<partition>:iam::111111111111:role/<name:1>", "<name:1>"]`, got: `["arn:aws:iam::123456789012:role/r", "r"]`, ok: true},
		{name: "a number for a placeholder", want: `{"at": "<at:1>"}`, got: `{"at": 7}`, ok: true},
		{name: "a number for a text", want: `{"at": "7"}`, got: `{"at": 7}`},
		{name: "another order", want: `["a", "b"]`, got: `["b", "a"]`},
		{name: "a set", want: `["<x:1>", "b"]`, got: `["b", "a"]`, unordered: true},
		{name: "a set of structures", want: `[{"n": "a", "id": "<x:1>"}, {"n": "b", "id": "<x:2>"}]`, got: `[{"n": "b", "id": "2"}, {"n": "a", "id": "1"}]`, unordered: true, ok: true},
		{name: "a policy document", want: `{"Version": "2012-10-17"}`, got: `"%7B%22Version%22%3A%222012-10-17%22%7D"`, ok: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMatcher()
			m.unordered = c.unordered
			if err := m.match(value(t, c.want), value(t, c.got), ""); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

func value(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseRecordedRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a call before a case":  "iam ListRoles {}\n= ok\n",
		"a call without answer": "case x\niam ListRoles {}\n",
		"no reason":             "case x\nnot compared: step\n",
	} {
		if _, err := parseRecorded(text); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
