package protocol_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fargo/aws/protocol"
)

// disclosed has one member of each kind that readers see differently than the client.
type disclosed struct {
	Name     *string           `aws:"Name"`
	Password *string           `aws:"Password" sensitive:"true"`
	Token    *string           `aws:"SessionToken"`
	Parts    []disclosed       `aws:"Parts"`
	Pairs    map[string]string `aws:"Pairs"`
	Secrets  map[string]string `aws:"Secrets" sensitive:"true"`
	At       *time.Time        `aws:"At"`
	Count    *int64            `aws:"Count"`
	Share    *float64          `aws:"Share"`
	On       *bool             `aws:"On"`
	Short    []byte            `aws:"Short"`
	Long     []byte            `aws:"Long"`
	Header   *string           `aws:"Header,in=header"`
	Document any               `aws:"Document"`
}

func TestPublic(t *testing.T) {
	at, count, share, on := time.Date(2026, 11, 30, 12, 0, 0, 5e8, time.UTC), int64(3), 0.5, true
	text := func(s string) *string { return &s }
	v := &disclosed{
		Name: text(`we"b`), Password: text("hunter2"), Token: text("hunter2"), Parts: []disclosed{{Password: text("hunter2")}, {Name: text("b")}},
		Pairs: map[string]string{"b": "2", "a": "1"}, Secrets: map[string]string{"a": "hunter2"}, At: &at, Count: &count, Share: &share, On: &on,
		Short: []byte("hello"), Long: make([]byte, 300), Header: text("h"), Document: map[string]any{"k": 1},
	}
	const hidden = `"HIDDEN_DUE_TO_SECURITY_REASONS"`
	want := `{"name":"we\"b","password":` + hidden + `,"sessionToken":` + hidden + `,"parts":[{"password":` + hidden + `},{"name":"b"}],` +
		`"pairs":{"a":"1","b":"2"},"secrets":` + hidden + `,"at":"2026-11-30T12:00:00Z","count":3,"share":0.5,"on":true,` +
		`"short":"aGVsbG8=","header":"h","document":{"k":1}}`
	got := string(protocol.AppendPublic(nil, v))
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !json.Valid([]byte(got)) || strings.Contains(got, "hunter2") {
		t.Error("not JSON, or a secret in it")
	}
	if got := protocol.AppendPublic(nil, (*disclosed)(nil)); string(got) != "null" {
		t.Errorf("nothing is %s", got)
	}
}
