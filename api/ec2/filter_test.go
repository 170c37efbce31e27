package ec2_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"fargo/api/ec2"
	wire "fargo/aws/ec2"
	"fargo/aws/protocol"
)

// unsupported are the documented filters that are refused as not implemented, by
// operation. There are none.
var unsupported = map[string][]string{}

// TestDocumentedFilters calls every operation with each filter that AWS documents for
// it. None is called invalid, and what is nobody's is.
func TestDocumentedFilters(t *testing.T) {
	s := server(t, nil)
	for _, op := range wire.API.Operations {
		if op.Bind == nil || !hasFilters(op.Input()) {
			continue
		}
		if _, implemented := op.Bind(s); !implemented {
			continue
		}
		documented := wire.Filters[op.Name]
		if len(documented) == 0 {
			t.Errorf("%s has filters, but no documented one is known", op.Name)
		}
		for _, name := range documented {
			if name == "tag:" {
				name += "Name"
			}
			switch code := filterBy(t, s, op, name); {
			case code == "":
			case code == "UnsupportedOperation" && slices.Contains(unsupported[op.Name], name):
			case code == "InvalidGroupId.Malformed" || code == "InvalidSecurityGroupRuleId.Malformed": // of the value
			default:
				t.Errorf("%s by %s: %s", op.Name, name, code)
			}
		}
		if code := filterBy(t, s, op, "no-such-filter"); code != "InvalidParameterValue" {
			t.Errorf("%s by no-such-filter: %q", op.Name, code)
		}
	}
}

// filtersOf is the member of an input that holds its filters, which EC2 has by two names.
func filtersOf(in any) reflect.Value {
	v := reflect.ValueOf(in).Elem()
	if f := v.FieldByName("Filters"); f.IsValid() {
		return f
	}
	return v.FieldByName("Filter")
}

func hasFilters(in any) bool {
	f := filtersOf(in)
	return f.IsValid() && f.Type() == reflect.TypeFor[[]wire.Filter]()
}

// filterBy gives the code of the error of a call with one filter, "" for none.
func filterBy(t *testing.T, s *ec2.Server, op protocol.Operation, name string) string {
	t.Helper()
	in := op.Input()
	filtersOf(in).Set(reflect.ValueOf([]wire.Filter{{Name: &name, Values: []string{"x"}}}))
	if vpc := reflect.ValueOf(in).Elem().FieldByName("VpcId"); vpc.IsValid() {
		vpc.Set(reflect.ValueOf(aVPC(t, s)))
	}
	ctx := call(t.Context(), op.Name)
	if err := s.Precheck(ctx, in); err != nil {
		t.Fatal(err)
	}
	handle, _ := op.Bind(s)
	_, err := handle(ctx, in)
	var e *protocol.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &e):
		t.Fatal(err)
	}
	return e.Code
}

func aVPC(t *testing.T, s *ec2.Server) *string {
	t.Helper()
	ctx := call(t.Context(), "DescribeVpcs")
	in := &wire.DescribeVpcsInput{}
	if err := s.Precheck(ctx, in); err != nil {
		t.Fatal(err)
	}
	out, err := s.DescribeVpcs(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Vpcs[0].VpcId
}
