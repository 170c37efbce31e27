package policy_test

import (
	"strings"
	"testing"

	"fargo/policy"
)

func TestReplacePrincipals(t *testing.T) {
	for doc, want := range map[string]string{
		`{"Statement":{"Principal":{"AWS":"a"}}}`:                                `{"Statement":{"Principal":{"AWS":"A"}}}`,
		`{"Statement" : [ {"Principal": {"AWS" : [ "a" , "b" ] } } ] }`:          `{"Statement" : [ {"Principal": {"AWS" : [ "A" , "B" ] } } ] }`,
		`{"Statement":[{"NotPrincipal":{"AWS":"a"}},{"Effect":"Allow"}]}`:        `{"Statement":[{"NotPrincipal":{"AWS":"A"}},{"Effect":"Allow"}]}`,
		`{"Statement":{"Principal":{"Service":["a"],"AWS":"\u0061"},"Sid":"a"}}`: `{"Statement":{"Principal":{"Service":["a"],"AWS":"A"},"Sid":"a"}}`,
		`{"Statement":{"Principal":"a","Condition":{"AWS":{"AWS":"a"}}}}`:        `{"Statement":{"Principal":"a","Condition":{"AWS":{"AWS":"a"}}}}`,
		`{"Id":"a","Statement":{"Condition":{"Principal":{"AWS":"a"}}}}`:         `{"Id":"a","Statement":{"Condition":{"Principal":{"AWS":"a"}}}}`,
		`no document`: `no document`,
	} {
		if got := policy.ReplacePrincipals(doc, strings.ToUpper); got != want {
			t.Errorf("%s becomes %s, want %s", doc, got, want)
		}
	}
}

// Whatever is replaced in it, a document stays one, with as many principals.
func FuzzReplacePrincipals(f *testing.F) {
	f.Add(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["a","<b>"]},"Action":"sts:AssumeRole"}]}`)
	f.Add(`{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"a"}}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		before, err := policy.Parse(doc)
		replaced := policy.ReplacePrincipals(doc, func(string) string { return "x" })
		if err != nil {
			return
		}
		after, err := policy.Parse(replaced)
		if err != nil || len(after.Statements) != len(before.Statements) {
			t.Fatalf("%q becomes %q: %v", doc, replaced, err)
		}
		for i, s := range after.Statements {
			if s.Principals == nil {
				continue
			}
			was := before.Statements[i].Principals
			if len(s.Principals.ByKind["AWS"]) != len(was.ByKind["AWS"]) {
				t.Errorf("%q becomes %q", doc, replaced)
			}
			for _, p := range s.Principals.ByKind["AWS"] {
				if p != "x" {
					t.Errorf("%q is not replaced in %q", p, replaced)
				}
			}
		}
	})
}
