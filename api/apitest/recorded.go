package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fargo/aws/protocol"
)

// RunRecorded holds a service to answers that AWS really gave. Each
// testdata/recorded/<name>.json has cases, and each case the answers of its steps,
// as recorded by the authors of LocalStack's tests (Apache-2.0): the requests were
// not kept. The file <name>.txt beside it says them:
//
//	case TestRoles::test_role_with_tags
//	iam CreateRole {"RoleName": "role-1", "AssumeRolePolicyDocument": "…"}
//	= create-role-response
//	iam GetRole {"RoleName": "<role-name:1>"}
//	= get-role-response
//	iam ListRoles {}
//	= list-role-response .Roles.0 unordered
//	iam DeleteRole {"RoleName": "role-1"}
//	= ok
//	not compared: other-step: why
//	given: <role-name:1> = role-1
//
//	case TestQueries::test_start_query
//	not a test: StartQuery is not implemented
//
// A call goes on over several lines until its "="; it may be one of the setup's
// commands. After "=" stands the step whose
// answer it must have, or "ok" for a success and "fails" for an error that nobody
// recorded. A path picks a member of our answer, where the recording holds only
// that; "unordered" compares lists as sets. "= ok .KeyMetadata.Arn as <key-arn>" has a
// placeholder stand for a member of an answer that is not compared.
//
// A placeholder such as <role-id:1> in an answer stands for what we answer there
// first, and for the same in all later answers and requests of the case; datetime
// for any value. One that no answer can tell, because another stands beside it, is given.
// Every case of the JSON file must be in the text, and every step of
// a case either compared or named as not compared, with the reason.
func RunRecorded(t *testing.T, open func(t *testing.T) Setup) {
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded answers in testdata/recorded (%v)", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".json"), func(t *testing.T) { runRecorded(t, f, open) })
	}
}

func runRecorded(t *testing.T, file string, open func(t *testing.T) Setup) {
	answers, err := readRecorded(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := parseRecorded(string(text))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, c := range cases {
		if told[c.name] {
			t.Errorf("%s stands twice", c.name)
		}
		told[c.name] = true
		recorded, ok := answers[c.name]
		if !ok {
			t.Errorf("%s was not recorded", c.name)
			continue
		}
		if c.notATest != "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, recorded.Answers, open(t)) })
	}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if !told[name] {
			t.Errorf("%s: neither a test nor listed with the reason why it is not", name)
		}
	}
}

// A recording is what one test of theirs was answered, by step.
type recording struct {
	Answers map[string]any `json:"answers"`
}

func readRecorded(file string) (map[string]recording, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r map[string]recording
	return r, json.Unmarshal(b, &r)
}

// A recordedCase is what the text says of one case.
type recordedCase struct {
	name        string
	notATest    string // why
	notCompared map[string]bool
	given       map[string]string // what placeholders stand for
	calls       []recordedCall
}

type recordedCall struct {
	command   string
	step      string // or "ok", or "fails"
	path      string
	unordered bool
	as        string // a placeholder for what is at path
}

func parseRecorded(text string) ([]recordedCase, error) {
	var cases []recordedCase
	command := ""
	for n, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		word, rest, _ := strings.Cut(trimmed, " ")
		if len(cases) == 0 && word != "case" && trimmed != "" && word[0] != '#' {
			return nil, fmt.Errorf("line %d: before the first case", n+1)
		}
		switch {
		case command == "" && (trimmed == "" || trimmed[0] == '#'):
		case command == "" && word == "case":
			cases = append(cases, recordedCase{name: rest, notCompared: map[string]bool{}, given: map[string]string{}})
		case command == "" && strings.HasPrefix(trimmed, "not a test: "):
			cases[len(cases)-1].notATest = strings.TrimPrefix(trimmed, "not a test: ")
		case command == "" && strings.HasPrefix(trimmed, "not compared: "):
			step, why, _ := strings.Cut(strings.TrimPrefix(trimmed, "not compared: "), ": ")
			if why == "" {
				return nil, fmt.Errorf("line %d: no reason why %s is not compared", n+1, step)
			}
			cases[len(cases)-1].notCompared[step] = true
		case command == "" && word == "given:":
			placeholder, value, ok := strings.Cut(rest, " = ")
			if !ok {
				return nil, fmt.Errorf("line %d: nothing is given", n+1)
			}
			cases[len(cases)-1].given[placeholder] = value
		case word == "=":
			c := &cases[len(cases)-1]
			c.calls = append(c.calls, parseExpectation(command, rest))
			command = ""
		default:
			command += line + "\n"
		}
	}
	if command != "" {
		return nil, fmt.Errorf("a call without its answer: %s", command)
	}
	return cases, nil
}

func parseExpectation(command, rest string) recordedCall {
	c := recordedCall{command: strings.TrimSpace(command)}
	rest, c.as, _ = strings.Cut(rest, " as ")
	for i, word := range strings.Fields(rest) {
		switch {
		case i == 0:
			c.step = word
		case word == "unordered":
			c.unordered = true
		default:
			c.path = word
		}
	}
	return c
}

// run carries out the calls of a case and compares their answers.
func (c recordedCase) run(t *testing.T, recorded map[string]any, s Setup) {
	r := &runner{Setup: s}
	m := newMatcher()
	maps.Copy(m.bound, c.given)
	compared := maps.Clone(c.notCompared)
	for _, call := range c.calls {
		got := r.answer(t.Context(), m.replace(call.command))
		if call.step == "ok" || call.step == "fails" {
			if failed := got.Error != nil; failed != (call.step == "fails") {
				t.Fatalf("%s\nanswered %s, not %s", call.command, marshal(got.value()), call.step)
			}
			if call.as != "" {
				m.bound[call.as] = fmt.Sprint(pick(got.value(), call.path))
			}
			continue
		}
		want, ok := recorded[call.step]
		if !ok {
			t.Fatalf("no step %s was recorded", call.step)
		}
		compared[call.step] = true
		m.unordered = call.unordered
		if err := m.match(strip(want), pick(got.value(), call.path), ""); err != nil {
			t.Fatalf("%s\n%s: %v\nAWS answered %s\nwe answered %s",
				call.command, call.step, err, marshal(want), marshal(got.value()))
		}
	}
	for _, step := range slices.Sorted(maps.Keys(recorded)) {
		if !compared[step] {
			t.Errorf("%s is neither compared nor named as not compared", step)
		}
	}
}

// answered is one answer, as the recordings write it.
type answered struct {
	Output any
	Error  *protocol.Error
}

// value is the answer as JSON values; that of a failure has its code, message and
// status.
func (a answered) value() any {
	var v any = map[string]any{}
	if a.Error != nil {
		status := a.Error.Status
		if status == 0 {
			status = 400
		}
		return map[string]any{
			"Error":            map[string]any{"Code": a.Error.Code, "Message": a.Error.Message},
			"ResponseMetadata": map[string]any{"HTTPStatusCode": float64(status)},
		}
	}
	if a.Output != nil {
		b, err := json.Marshal(a.Output)
		if err == nil {
			err = json.Unmarshal(b, &v)
		}
		if err != nil {
			return err.Error()
		}
	}
	return v
}

func (r *runner) answer(ctx context.Context, command string) answered {
	word, rest, _ := strings.Cut(command, " ")
	var out any
	var err error
	if c, ok := r.Commands[word]; ok {
		out, err = c(ctx, rest)
	} else {
		out, err = r.output(ctx, word, rest)
	}
	if e := new(protocol.Error); errors.As(err, &e) {
		return answered{Error: e}
	}
	if err != nil {
		return answered{Error: &protocol.Error{Code: "INTERNAL", Message: err.Error(), Status: 500}}
	}
	return answered{Output: out}
}

// strip removes from a recorded answer what is not ours to give: the headers, the
// status of a success, and whose fault an error is, which is told from its status. An
// error may also be recorded as it came, without a client that reads it.
func strip(want any) any {
	m, ok := want.(map[string]any)
	if !ok {
		return want
	}
	m = maps.Clone(m)
	meta, _ := m["ResponseMetadata"].(map[string]any)
	delete(m, "ResponseMetadata")
	if e, ok := m["Error"].(map[string]any); ok && e["__type"] != nil {
		raw, _ := m["Metadata"].(map[string]any)
		return map[string]any{
			"Error":            map[string]any{"Code": e["__type"], "Message": e["Message"]},
			"ResponseMetadata": map[string]any{"HTTPStatusCode": raw["StatusCode"]},
		}
	}
	if e, ok := m["Error"].(map[string]any); ok && e["Code"] != nil {
		return map[string]any{
			"Error":            map[string]any{"Code": e["Code"], "Message": e["Message"]},
			"ResponseMetadata": map[string]any{"HTTPStatusCode": meta["HTTPStatusCode"]},
		}
	}
	return m
}

// pick is the member of v at a path such as .Roles.0.Arn.
func pick(v any, path string) any {
	for _, name := range strings.Split(strings.TrimPrefix(path, "."), ".") {
		switch at := v.(type) {
		case map[string]any:
			if name != "" {
				v, _ = member(at, name)
			}
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		}
	}
	return v
}

func marshal(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}
