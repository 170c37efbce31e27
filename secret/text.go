package secret

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what is seen in place of a secret.
const redacted = "[redacted]"

// Text is a secret string. Whatever formats, logs or encodes it writes "[redacted]"
// in its place; only [Text.Reveal] gives it. The zero Text is the empty string.
//
// Text is for memory. A value that has to leave the process, to another one or to a
// file that is in memory too, is made an [Exposed] there and then.
type Text struct {
	// A pointer, because package fmt does not call the methods of what is in an
	// unexported field of somebody's struct: of a pointer it prints the address.
	text *string
}

// New makes a secret of s.
func New(s string) Text { return Text{&s} }

// Reveal gives the secret. Who calls it answers for where the value goes.
func (t Text) Reveal() string {
	if t.text == nil {
		return ""
	}
	return *t.text
}

// IsZero reports whether the secret is the empty string.
func (t Text) IsZero() bool { return t.Reveal() == "" }

// Equal compares two secrets, in a time that tells nothing of what they have in
// common.
func (t Text) Equal(other Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(other.Reveal())) == 1
}

// String implements [fmt.Stringer] without showing the secret.
func (Text) String() string { return redacted }

// GoString implements [fmt.GoStringer] without showing the secret.
func (Text) GoString() string { return redacted }

// Format implements [fmt.Formatter]: every verb shows the same.
func (Text) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue implements [slog.LogValuer] without showing the secret.
func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements [encoding.TextMarshaler] without showing the secret.
func (Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements [json.Marshaler] without showing the secret.
func (Text) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// errRedacted is of reading what was written without the secret.
var errRedacted = errors.New("secret: a Text is written without its value and cannot be read")

// UnmarshalText always fails: what MarshalText writes has lost the secret.
func (*Text) UnmarshalText([]byte) error { return errRedacted }

// UnmarshalJSON always fails: what MarshalJSON writes has lost the secret.
func (*Text) UnmarshalJSON([]byte) error { return errRedacted }

// Exposed is a [Text] that JSON shows, and nothing else does: for the messages that
// carry secrets between processes, and for files in memory.
type Exposed struct{ Text }

// MarshalJSON implements [json.Marshaler]: it writes the secret.
func (e Exposed) MarshalJSON() ([]byte, error) { return json.Marshal(e.Reveal()) }

// UnmarshalJSON implements [json.Unmarshaler].
func (e *Exposed) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return errors.New("secret: not a string of JSON") // without what it is
	}
	e.Text = New(s)
	return nil
}
