package main

import (
	"log/slog"
	"testing"
)

func TestFunction(t *testing.T) {
	f := function{slog.New(slog.DiscardHandler)}
	for event, fails := range map[string]bool{`{"detail":{}}`: false, `{"detail":{"fail":true}}`: true, `{"detail":1}`: true} {
		answer, err := f.handle(t.Context(), []byte(event))
		if (err != nil) != fails || !fails && string(answer) != event {
			t.Errorf("%s: %s, %v", event, answer, err)
		}
	}
}
