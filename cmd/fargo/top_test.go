package main

import (
	"encoding/json"
	"testing"
)

// TestTop draws tables from two looks, without and with tasks.
func TestTop(t *testing.T) {
	testTexts(t, "top", func(t *testing.T, in []byte) string {
		var looks struct{ Before, Now topLook }
		if err := json.Unmarshal(in, &looks); err != nil {
			t.Fatal(err)
		}
		return looks.Now.table(&looks.Before, false) + "\n" + looks.Now.table(&looks.Before, true)
	})
}
