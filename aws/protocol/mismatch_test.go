package protocol_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"fargo/aws/ecs"
	"fargo/aws/protocol"
)

// ECS says in its own words that a value does not fit. Source: as olderWords.
func TestECSMismatches(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                               "Unrecognized collection type class com.amazonaws.madison.frontend.RegisterTaskDefinitionRequest",
		`{"family":1}`:                     "NUMBER_VALUE cannot be converted to String",
		`{"family":1.5}`:                   "DECIMAL_VALUE cannot be converted to String",
		`{"family":true}`:                  "TRUE_VALUE cannot be converted to String",
		`{"family":{}}`:                    "Start of structure or map found where not expected",
		`{"family":[]}`:                    "Unrecognized collection type class java.lang.String",
		`{"containerDefinitions":"web"}`:   "Unexpected field type",
		`{"containerDefinitions":{}}`:      "Start of structure or map found where not expected",
		`{"containerDefinitions":["web"]}`: "Unexpected value type in payload",
		`{"containerDefinitions":[[]]}`:    "Unrecognized collection type class com.amazonaws.madison.frontend.ContainerDefinition",

		`{"containerDefinitions":[{"memory":"512"}]}`:      "STRING_VALUE cannot be converted to Integer",
		`{"containerDefinitions":[{"essential":"true"}]}`:  "Unexpected token received from parser",
		`{"containerDefinitions":[{"essential":1}]}`:       "NUMBER_VALUE cannot be converted to Boolean",
		`{"containerDefinitions":[{"dockerLabels":[]}]}`:   "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
		`{"containerDefinitions":[{"dockerLabels":"a"}]}`:  "Unexpected field type",
		`{"containerDefinitions":[{"command":[1]}]}`:       "NUMBER_VALUE cannot be converted to String",
		`{"ephemeralStorage":21}`:                          "Unexpected field type",
		`{"containerDefinitions":[{"memory":5000000000}]}`: "5000000000 is out of range",
	} {
		r := request(body)
		r.Service = &ecs.API
		refuses(t, body, protocol.For("json").Decode(r, &ecs.RegisterTaskDefinitionInput{}), want)
	}
}

// CBOR that does not fit is refused in the words of JSON.
func TestCBORMismatches(t *testing.T) {
	refuses(t, "half a map", protocol.For("smithy-rpc-v2-cbor").Decode(request("\xa1\x64te"), &everything{}), "")
	for _, c := range []struct {
		in   any
		want string
	}{
		{map[string]any{"text": 1}, "NUMBER_VALUE can not be converted to a String"},
		{map[string]any{"text": []any{}}, "Start of list found where not expected"},
		{map[string]any{"text": map[string]any{}}, "Start of structure or map found where not expected."},
		{map[string]any{"small": "7"}, "STRING_VALUE can not be converted to an Integer"},
		{map[string]any{"flag": []byte("x")}, "BLOB_VALUE can not be converted to a Boolean"},
		{map[string]any{"texts": true}, "Expected list or null"},
		{map[string]any{"when": 1e300}, "1e+300 is out of range"},
	} {
		body, err := cbor.Marshal(c.in)
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, c.want, protocol.For("smithy-rpc-v2-cbor").Decode(request(string(body)), &everything{}), c.want)
	}
}

func refuses(t *testing.T, what string, err error, want string) {
	t.Helper()
	var e *protocol.Error
	if !errors.As(err, &e) || e.Code != "SerializationException" || e.Message != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// What is a byte in a body is many in memory: there may not be too many items, however they
// are nested.
func TestCBORItems(t *testing.T) {
	const tooMany = "The request has too many items."
	array := func(n int, item string) string { // its length in two bytes
		return "\x99" + string([]byte{byte(n >> 8), byte(n)}) + strings.Repeat(item, n)
	}
	for name, c := range map[string]struct{ body, want string }{
		"few":               {"\xa1\x61x" + array(1000, array(10, "\xf6")), ""},
		"arrays of arrays":  {"\xa1\x61x" + array(1000, array(400, "\xf6")), tooMany},
		"what JSON has too": {"\xa1\x61x" + array(1000, array(200, "\xf6")), ""},
		"without end":       {"\xa1\x61x\x9f" + strings.Repeat("\x9f\xff", 160_000) + "\xff", tooMany},
		"bytes are one":     {"\xa1\x61x\x5a\x00\x03\x00\x00" + strings.Repeat("\xf6", 3<<16), ""},
		"a length too long": {"\xa1\x61x\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "syntax"},
		"half a length":     {"\xa1\x61x\x5b\xff", "syntax"},
		"nested":            {strings.Repeat("\x81", 1000), "syntax"},
	} {
		err := protocol.For("smithy-rpc-v2-cbor").Decode(request(c.body), &everything{})
		var e *protocol.Error
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want == tooMany && (!errors.As(err, &e) || e.Message != tooMany):
			t.Errorf("%s: %v", name, err)
		case c.want == "syntax" && (!errors.As(err, &e) || e.Code != "SerializationException" || e.Message != ""):
			t.Errorf("%s: %v", name, err)
		}
	}
}
