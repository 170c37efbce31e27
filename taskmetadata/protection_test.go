package taskmetadata

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fargo/aws/sigv4"
)

// ECS is asked with the credentials of the task's role, and its answer has the shape of
// the agent's.
// Source: ECS developer guide, "Amazon ECS task scale-in protection endpoint";
// amazon-ecs-agent.
func TestProtection(t *testing.T) {
	const path = "/api/" + theID + "/task-protection/v1/state"
	const task = `"` + theTask + `"`
	for name, test := range map[string]struct {
		from, method, path, body string
		status                   int    // of ECS
		answer                   string // of ECS
		asked                    string // of ECS; empty when it is not to be asked
		wantStatus               int
		want                     string
	}{
		"protected": {
			"10.0.0.7", "PUT", path, `{"ProtectionEnabled":true,"ExpiresInMinutes":60}`,
			200, `{"protectedTasks":[{"expirationDate":1.7e9,"protectionEnabled":true,"taskArn":` + task + `}],"failures":[]}`,
			`UpdateTaskProtection {"cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/production","expiresInMinutes":60,"protectionEnabled":true,"tasks":[` + task + `]}`,
			200, `{"protection":{"ExpirationDate":"2023-11-14T22:13:20Z","ProtectionEnabled":true,"TaskArn":` + task + `}}`,
		},
		"asked for": {
			"10.0.0.7", "GET", path, "",
			200, `{"protectedTasks":[{"protectionEnabled":false,"taskArn":` + task + `}],"failures":[]}`,
			`GetTaskProtection {"cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/production","tasks":[` + task + `]}`,
			200, `{"protection":{"ExpirationDate":null,"ProtectionEnabled":false,"TaskArn":` + task + `}}`,
		},
		"failed": {
			"10.0.0.7", "PUT", path, `{"ProtectionEnabled":false}`,
			200, `{"protectedTasks":[],"failures":[{"arn":` + task + `,"reason":"DEPLOYMENT_BLOCKED"}]}`,
			`UpdateTaskProtection {"cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/production","protectionEnabled":false,"tasks":[` + task + `]}`,
			200, `{"failure":{"Arn":` + task + `,"Detail":null,"Reason":"DEPLOYMENT_BLOCKED"}}`,
		},
		"denied": {
			"10.0.0.7", "GET", path, "",
			400, `{"__type":"AccessDeniedException","message":"No."}`,
			`GetTaskProtection {"cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/production","tasks":[` + task + `]}`,
			400, `{"requestID":"r1","error":{"Arn":` + task + `,"Code":"AccessDeniedException","Message":"No."}}`,
		},
		"nonsense": {
			"10.0.0.7", "GET", path, "", 502, `<html>`,
			`GetTaskProtection {"cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/production","tasks":[` + task + `]}`,
			500, `{"error":{"Arn":` + task + `,"Code":"ServerException","Message":"Unexpected error occurred"}}`,
		},
		"not JSON": {
			"10.0.0.7", "PUT", path, `{`, 0, "", "",
			400, `{"error":{"Code":"InvalidParameterException","Message":"UpdateTaskProtection: failed to decode request"}}`,
		},
		"an unknown member": {
			"10.0.0.7", "PUT", path, `{"ProtectionEnabled":true,"Other":1}`, 0, "", "",
			400, `{"error":{"Code":"InvalidParameterException","Message":"UpdateTaskProtection: failed to decode request"}}`,
		},
		"nothing": {
			"10.0.0.7", "PUT", path, `{}`, 0, "", "",
			400, `{"error":{"Arn":` + task + `,"Code":"InvalidParameterException","Message":"Invalid request: does not contain 'ProtectionEnabled' field"}}`,
		},
		"another task's": {
			"10.0.0.8", "GET", path, "", 0, "", "",
			404, `{"error":{"Code":"ResourceNotFoundException","Message":"Failed to find a task for the request"}}`,
		},
		"without a role": {
			"10.0.0.8", "GET", "/api/other-1/task-protection/v1/state", "", 0, "", "",
			403, `{"error":{"Arn":"` + theTask[:len(theTask)-1] + `0","Code":"AccessDeniedException","Message":"Invalid Request: no task IAM role credentials available for task"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			ecs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				asked = strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonEC2ContainerServiceV20141113.") + " " + string(body)
				sig, err := sigv4.Parse(r)
				if err != nil || sig.AccessKeyID != "ASIAEXAMPLE" || sig.Token != "token" || sig.Service != "ecs" || sig.Region != "us-east-1" {
					t.Errorf("signed %+v, %v", sig, err)
				} else if err := new(sigv4.Verifier).Verify(sig, r, body, "secret", time.Now()); err != nil {
					t.Error(err)
				}
				w.Header().Set("X-Amzn-RequestId", "r1")
				w.WriteHeader(test.status)
				io.WriteString(w, test.answer)
			}))
			defer ecs.Close()
			s := newServer(newMachine())
			s.Set(nil, ecs.URL)
			w := ask(s.handler("vpc-1"), test.from, test.method, test.path, test.body)
			if w.Code != test.wantStatus || w.Body.String() != test.want || !json.Valid(w.Body.Bytes()) {
				t.Errorf("answers %d %s\nwant %d %s", w.Code, w.Body, test.wantStatus, test.want)
			}
			if asked != test.asked {
				t.Errorf("asks %s\nwant %s", asked, test.asked)
			}
		})
	}
}
