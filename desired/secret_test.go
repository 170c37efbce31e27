package desired

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fargo/secret"
)

// secretNames are names of fields that have secrets in them, as far as names tell.
var secretNames = regexp.MustCompile(`(?i)password|secret|credential|token|privatekey|^key$`)

// notSecret are the fields that only look so.
var notSecret = []string{
	// Listener rules are kept as AWS's shapes, of which the API refuses actions of
	// these kinds (api/elbv2/action.go).
	".AuthenticateOidcConfig.ClientSecret", ".AuthenticateOidcConfig.TokenEndpoint", ".AuthenticateOidcConfig.UseExistingClientSecret",
	".QueryStringConfig.Values.Key", // the name of a query's parameter
	// A hash, from which nobody finds the 240 random bits, and a time.
	"ExecSessions.TokenHash", "ExecSessions.TokenExpires", "ExecSessions.Put.TokenHash", "ExecSessions.Put.TokenExpires",
	".Containers.Secrets", // names of variables, and ids: of type [SecretVariable]
}

// carriers lists the fields of a message that carry a secret, by type or by name.
func carriers(t reflect.Type, path string, within []reflect.Type) (found []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return carriers(t.Elem(), path, within)
	}
	if t == reflect.TypeFor[secret.Text]() || t == reflect.TypeFor[secret.Exposed]() {
		return []string{path}
	}
	if t.Kind() != reflect.Struct || slices.Contains(within, t) {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		at := path + "." + f.Name
		if f.Type != reflect.TypeFor[SecretID]() && secretNames.MatchString(f.Name) &&
			!slices.ContainsFunc(notSecret, func(known string) bool { return strings.HasSuffix(at, known) }) {
			found = append(found, at)
			continue
		}
		found = append(found, carriers(f.Type, at, append(within, t))...)
	}
	return found
}

// TestNoMessageCarriesASecret holds that what nodes are told and what they report may
// be logged, dumped and kept on a disk.
func TestNoMessageCarriesASecret(t *testing.T) {
	for _, message := range []any{State{}, Delta{}, TaskReport{}, TargetReport{}, LogTarget{}, LogBatch{}, LogObject{}} {
		typ := reflect.TypeOf(message)
		for _, field := range carriers(typ, typ.Name(), nil) {
			t.Errorf("%s carries a secret: name it with a SecretID", field)
		}
	}
	// The same look finds what it should, by name and by type.
	type message struct {
		Tasks []struct {
			Password string
			Value    *secret.Text
		}
		Certificates map[string]struct{ Key secret.Exposed }
	}
	got := carriers(reflect.TypeFor[message](), "", nil)
	if want := []string{".Tasks.Password", ".Tasks.Value", ".Certificates.Key"}; !slices.Equal(got, want) {
		t.Errorf("in a message with secrets found %q, want %q", got, want)
	}
}

func TestSecretIDs(t *testing.T) {
	const arn = "arn:aws:ecs:us-east-1:123456789012:task/default/0123456789abcdef0123456789abcdef"
	if kind, of := RegistryPasswordOf(arn).Cut(); kind != RegistryPassword || of != arn {
		t.Errorf("%q, %q", kind, of)
	}
	kind, of := CertificateKeyOf("chain").Cut()
	if kind != CertificateKey || !strings.HasPrefix(of, "sha256:") || of == strings.TrimPrefix(string(CertificateKeyOf("other")), CertificateKey+"/") {
		t.Errorf("%q, %q", kind, of)
	}
	id := TaskSecretOf(arn, 12)
	kind, of = id.Cut()
	if task, n, ok := ParseTaskSecret(of); kind != TaskSecret || task != arn || n != 12 || !ok {
		t.Errorf("%s: %q, %d, %v", id, task, n, ok)
	}
	for _, of := range []string{"", "/", arn, arn + "/", arn + "/-1", arn + "/x"} {
		if task, n, ok := ParseTaskSecret(of); ok {
			t.Errorf("%q: %q, %d", of, task, n)
		}
	}
}
