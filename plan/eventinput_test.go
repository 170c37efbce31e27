package plan

import (
	"testing"
	"time"

	"fargo/aws/events"
	"fargo/record"
)

const inputEvent = `{"version":"0","id":"1","detail-type":"core.update-account-command","source":"core","account":"111111111111","time":"2026-01-01T00:00:00Z",` +
	`"region":"us-east-1","resources":[],"detail":{"command":"update-account","valid":true,"payload":{"acc_id":"0a787ecb-4015","sf_id":"baz"},` +
	`"listsingle":["HIGH"],"listmulti":["ACTIVE","INACTIVE"],"a name":[{"n":1.50}],"text":"say \"hi\""}}`

// TestEventInput has what AWS was recorded to make of templates, but for those marked.
func TestEventInput(t *testing.T) {
	rule := &record.EventRule{Rule: events.DescribeRuleOutput{Name: new("r"), Arn: new("arn:aws:events:us-east-1:111111111111:rule/r")}}
	paths := map[string]string{
		"userId": "$.detail.payload.acc_id", "payload": "$.detail.payload", "listsingle": "$.detail.listsingle", "listmulti": "$.detail.listmulti",
		"systemstring": "$.detail.awsAccountId", "valid": "$.detail.valid", "n": `$.detail["a name"][0].n`, "text": "$.detail.text",
	}
	for template, want := range map[string]string{
		`"<listmulti> multiple list items"`: `"[ACTIVE,INACTIVE] multiple list items"`,
		"\"<listsingle> single list item\"\n\"<systemstring> system account id\"\n\"<payload> payload\"\n\"<userId> user id\"": "\"[HIGH] single list item\"\n\" system account id\"\n\"{acc_id:0a787ecb-4015,sf_id:baz} payload\"\n\"0a787ecb-4015 user id\"",
		`"Command is <valid>!"`: `"Command is true!"`,
		`{"id" : <userId>}`:     `{"id" : "0a787ecb-4015"}`,
		`{"path": "users-service/users/<userId>", "bod": [<userId>, "hardcoded", <payload>]}`: `{"path": "users-service/users/0a787ecb-4015", "bod": ["0a787ecb-4015", "hardcoded", {"acc_id":"0a787ecb-4015","sf_id":"baz"}]}`,
		`"<aws.events.rule-arn> <aws.events.rule-name> <aws.events.event.ingestion-time>"`:    `"arn:aws:events:us-east-1:111111111111:rule/r r 2026-01-02T03:04:05Z"`,
		`{"e": <aws.events.event>}`:      `{"e": {"version":"0","id":"1","detailType":"core.update-account-command","source":"core","account":"111111111111","time":"2026-01-01T00:00:00Z","region":"us-east-1","resources":[]}}`,
		`{"e": <aws.events.event.json>}`: `{"e": ` + inputEvent + `}`,
		// Ours: what is missing outside of strings, numbers, quotes in values, and < that begins no variable.
		`{"a": <systemstring>, "n": <n>, "t": "<text>", "x": "1 < 2 > 0"}`: `{"a": "", "n": 1.50, "t": "say \"hi\"", "x": "1 < 2 > 0"}`,
	} {
		target := &events.Target{InputTransformer: &events.InputTransformer{InputPathsMap: paths, InputTemplate: &template}}
		if got := EventInput(rule, target, inputEvent, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)); got != want {
			t.Errorf("%s gives\n%s, want\n%s", template, got, want)
		}
	}
	for path, want := range map[string]string{
		"$": inputEvent, "$.detail.payload.sf_id": `"baz"`, "$.detail.listmulti[1]": `"INACTIVE"`, "$.nothing": "null", "$.detail.listmulti[2]": "null",
	} {
		if got := EventInput(rule, &events.Target{InputPath: &path}, inputEvent, time.Time{}); got != want {
			t.Errorf("%s gives %s, want %s", path, got, want)
		}
	}
}

func TestIsJSONPath(t *testing.T) {
	for path, want := range map[string]bool{
		"$": true, "$.a": true, "$.a-b.c_d": true, "$['a b'][0]": true, "": false, "a": false, "$.": false, "$.a.": false, "$[": false, "$[a]": false, "$[-1]": false, `$["a]`: false,
	} {
		if got := IsJSONPath(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

// FuzzEventInput holds that no path or template panics.
func FuzzEventInput(f *testing.F) {
	f.Add(inputEvent, "$.detail.a[0]['b']", `{"a": "<x>", "b": <x>}`)
	f.Fuzz(func(_ *testing.T, event, path, template string) {
		rule := &record.EventRule{}
		EventInput(rule, &events.Target{InputPath: &path}, event, time.Time{})
		EventInput(rule, &events.Target{InputTransformer: &events.InputTransformer{InputPathsMap: map[string]string{"x": path}, InputTemplate: &template}}, event, time.Time{})
	})
}
