package sigv4

import (
	"strconv"
	"strings"
	"testing"
)

// Whoever knows an access key's id has keys derived in any scope: they take little memory.
func TestKeysAreBounded(t *testing.T) {
	v := new(Verifier)
	v.key(keyScope{"secret", "20150830", strings.Repeat("r", 100), strings.Repeat("s", 100)})
	if len(v.mu.keys) != 0 {
		t.Error("a key of a scope that nobody has is remembered")
	}
	for i := range maxKeys + 10 {
		v.key(keyScope{"secret", "20150830", strconv.Itoa(i), "ecs"})
	}
	if n := len(v.mu.keys); n == 0 || n > maxKeys {
		t.Errorf("%d keys are remembered", n)
	}
}
