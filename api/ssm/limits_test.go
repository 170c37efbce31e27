package ssm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fargo/api"
	"fargo/api/ssm"
	"fargo/aws/protocol"
	wire "fargo/aws/ssm"
	"fargo/store"
)

func caller(ctx context.Context) context.Context {
	return api.WithCall(ctx, &api.Call{Account: scope.Account, Region: scope.Region})
}

func put(t *testing.T, s *ssm.Server, in wire.PutParameterInput) (*wire.PutParameterOutput, string) {
	t.Helper()
	in.Type, in.Overwrite = wire.ParameterTypeString, new(true)
	out, err := s.PutParameter(caller(t.Context()), &in)
	if e := new(protocol.Error); errors.As(err, &e) {
		return out, e.Code
	} else if err != nil {
		t.Fatal(err)
	}
	return out, ""
}

// A value is as large as its tier allows, and no larger.
func TestSizes(t *testing.T) {
	s := ssm.New(ssm.Config{DB: open(t)})
	for i, c := range []struct {
		size int
		tier wire.ParameterTier
		want wire.ParameterTier // or none
	}{
		{4096, "", wire.ParameterTierStandard},
		{4097, "", ""},
		{4096, wire.ParameterTierIntelligentTiering, wire.ParameterTierStandard},
		{4097, wire.ParameterTierIntelligentTiering, wire.ParameterTierAdvanced},
		{8192, wire.ParameterTierAdvanced, wire.ParameterTierAdvanced},
		{8193, wire.ParameterTierAdvanced, ""},
		{8193, wire.ParameterTierIntelligentTiering, ""},
	} {
		out, code := put(t, s, wire.PutParameterInput{Name: new(fmt.Sprint("p", i)), Value: new(strings.Repeat("x", c.size)), Tier: c.tier})
		if code == "" && out.Tier != c.want || code != "" && (c.want != "" || code != "ValidationException") {
			t.Errorf("%d bytes, %q: %v %s", c.size, c.tier, out, code)
		}
	}
}

// A parameter keeps its last hundred versions, and none is dropped that has a label.
func TestVersionsKept(t *testing.T) {
	db := open(t)
	s := ssm.New(ssm.Config{DB: db})
	for i := range 101 {
		if _, code := put(t, s, wire.PutParameterInput{Name: new("p"), Value: new(fmt.Sprint(i + 1))}); code != "" {
			t.Fatal(code)
		}
	}
	_, err := s.GetParameter(caller(t.Context()), &wire.GetParameterInput{Name: new("p:1")})
	if e := new(protocol.Error); !errors.As(err, &e) || e.Code != "ParameterVersionNotFound" {
		t.Errorf("the first version: %v", err)
	}
	out, err := s.GetParameter(caller(t.Context()), &wire.GetParameterInput{Name: new("p:2")})
	if err != nil || *out.Parameter.Value != "2" {
		t.Errorf("the second version: %v, %v", out, err)
	}
	kept := 0
	for range store.ParameterVersions.All(db.View()) {
		kept++
	}
	if kept != 100 {
		t.Errorf("%d versions are kept", kept)
	}
	if _, err := s.LabelParameterVersion(caller(t.Context()), &wire.LabelParameterVersionInput{Name: new("p"), ParameterVersion: new(int64(2)), Labels: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if _, code := put(t, s, wire.PutParameterInput{Name: new("p"), Value: new("x")}); code != "ParameterMaxVersionLimitExceeded" {
		t.Errorf("a version with a label is dropped: %s", code)
	}
}

// What is not to be decrypted is shown as its ciphertext.
func TestCiphertextIsShown(t *testing.T) {
	s := ssm.New(ssm.Config{DB: open(t)})
	ctx := caller(t.Context())
	if _, err := s.PutParameter(ctx, &wire.PutParameterInput{Name: new("p"), Value: new("hidden"), Type: wire.ParameterTypeSecureString}); err != nil {
		t.Fatal(err)
	}
	out, err := s.GetParameter(ctx, &wire.GetParameterInput{Name: new("p")})
	if err != nil || strings.Contains(*out.Parameter.Value, "hidden") || len(*out.Parameter.Value) < 100 {
		t.Errorf("without decryption: %v, %v", out, err)
	}
}
