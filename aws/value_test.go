package aws_test

import (
	"testing"

	"fargo/aws"
)

func TestAbsentMembers(t *testing.T) {
	if got := aws.Value[string](nil); got != "" {
		t.Errorf("the value of an absent string is %q", got)
	}
	if got := aws.Value(new(int32(7))); got != 7 {
		t.Errorf("the value of 7 is %d", got)
	}
	if got := aws.ValueOr(nil, true); !got {
		t.Error("the fallback does not stand for what is absent")
	}
	if got := aws.ValueOr(new(false), true); got {
		t.Error("the fallback stands for what is there")
	}
	if got := aws.List[string](nil); got == nil || len(got) != 0 {
		t.Errorf("an absent list is %#v", got)
	}
	if given := []string{"a"}; &aws.List(given)[0] != &given[0] {
		t.Error("a list that is there is copied")
	}
	if aws.NonZero("") != nil || *aws.NonZero("a") != "a" {
		t.Error("NonZero does not tell zero from the rest")
	}
}
