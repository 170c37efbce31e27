package lambda

import (
	"testing"

	"fargo/desired"
)

// A task that has answered gets its event no second time, also before whoever waits for
// the answer has taken it.
func TestEventIsGivenOnce(t *testing.T) {
	m := invocations{of: map[string]*invocation{}, changed: make(chan struct{})}
	m.add("t", &invocation{is: desired.Invocation{RequestID: "1"}, taken: make(chan struct{}), result: make(chan desired.InvocationResult, 1)})
	for range 2 { // the first answer may be lost on its way to the task
		if i, ok, _ := m.take("t"); !ok || i.RequestID != "1" {
			t.Fatalf("the task gets %v, %v", i, ok)
		}
	}
	for range 2 {
		if known, _, err := m.put(desired.InvocationResult{TaskARN: "t", RequestID: "1"}); !known || err != nil {
			t.Fatalf("the answer: %v, %v", known, err)
		}
	}
	if i, ok, _ := m.take("t"); ok {
		t.Errorf("the task gets %v again", i)
	}
}
