package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fargo"
	"fargo/aws/ecr"
	"fargo/plan"
	"fargo/record"
)

// noon is the time of all decisions here.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func daysAgo(days int) *time.Time { return new(noon.Add(-time.Duration(days) * 24 * time.Hour)) }

// pushed is an image that was pushed some days ago.
func pushed(name string, days int, tags ...string) *record.RepositoryImage {
	return &record.RepositoryImage{Image: ecr.ImageDetail{
		RepositoryName: new("app"), ImageDigest: &name, ImageTags: tags, ImagePushedAt: daysAgo(days), ImageStatus: ecr.ImageStatusActive,
	}}
}

// with changes an image.
func with(i *record.RepositoryImage, change func(*record.RepositoryImage)) *record.RepositoryImage {
	change(i)
	return i
}

func archivedDaysAgo(days int) func(*record.RepositoryImage) {
	return func(i *record.RepositoryImage) {
		i.Image.ImageStatus, i.Image.LastArchivedAt = ecr.ImageStatusArchived, daysAgo(days)
	}
}

func listing(children ...string) func(*record.RepositoryImage) {
	return func(i *record.RepositoryImage) { i.Children = children }
}

// rules writes a policy: each rule is "<tag status> <lists…> <count type> <number> <action>".
func rules(t interface{ Fatal(...any) }, texts ...string) plan.LifecyclePolicy {
	var p plan.LifecyclePolicy
	for n, text := range texts {
		words := strings.Fields(text)
		r := plan.LifecycleRule{RulePriority: int32(n + 1)}
		r.Selection.TagStatus = words[0]
		for _, word := range words[1 : len(words)-3] {
			if strings.Contains(word, "*") {
				r.Selection.TagPatternList = append(r.Selection.TagPatternList, word)
			} else {
				r.Selection.TagPrefixList = append(r.Selection.TagPrefixList, word)
			}
		}
		last := words[len(words)-3:]
		r.Selection.CountType, r.Action.Type = last[0], last[2]
		if _, err := fmt.Sscan(last[1], &r.Selection.CountNumber); err != nil {
			t.Fatal(err)
		}
		if last[0] == "sinceImageTransitioned" {
			r.Selection.StorageClass = "archive"
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

func TestEvaluateLifecycle(t *testing.T) {
	type images = []*record.RepositoryImage
	restored := func(days int) func(*record.RepositoryImage) {
		return func(i *record.RepositoryImage) { i.Image.LastActivatedAt = daysAgo(days) }
	}
	pulled := func(days int) func(*record.RepositoryImage) {
		return func(i *record.RepositoryImage) { i.Image.LastRecordedPullTime = daysAgo(days) }
	}
	for name, c := range map[string]struct {
		rules  []string
		images images
		want   []string
	}{
		"the newest are kept": {
			[]string{"any imageCountMoreThan 2 expire"},
			images{pushed("b", 2), pushed("a", 3), pushed("c", 1)},
			[]string{"1 a"},
		},
		"old enough, to the moment": {
			[]string{"any sinceImagePushed 14 expire"},
			images{pushed("a", 15), pushed("b", 14), pushed("c", 13)},
			[]string{"1 a", "1 b"},
		},
		"all prefixes, each by some tag": {
			[]string{"tagged dev release imageCountMoreThan 1 expire"},
			images{pushed("a", 4, "dev-1", "release-1"), pushed("b", 3, "dev-2"), pushed("c", 2, "release-3", "dev-3")},
			[]string{"1 a"},
		},
		"patterns": {
			[]string{"tagged *-dev pr-* imageCountMoreThan 1 expire"},
			images{pushed("a", 4, "x-dev", "pr-1"), pushed("b", 3, "pr-2-dev"), pushed("c", 2, "pr-3"), pushed("d", 1)},
			[]string{"1 a"},
		},
		"untagged only": {
			[]string{"untagged sinceImagePushed 1 expire"},
			images{pushed("a", 4), pushed("b", 4, "v1")},
			[]string{"1 a"},
		},
		"an earlier rule keeps what its tags are, and a later one counts it": {
			[]string{"tagged prod imageCountMoreThan 2 expire", "any imageCountMoreThan 1 expire"},
			images{pushed("a", 5, "prod-1"), pushed("b", 4, "prod-2"), pushed("c", 3, "prod-3"), pushed("d", 2, "dev"), pushed("e", 1, "dev2")},
			[]string{"1 a", "2 d"},
		},
		"an index keeps what it lists, which counts": {
			[]string{"any imageCountMoreThan 1 expire"},
			images{pushed("a", 4), pushed("b", 3), with(pushed("c", 2, "v1"), listing("a")), pushed("d", 1)},
			[]string{"1 b", "1 c"},
		},
		"an index keeps what it lists from the archive until it is there itself": {
			[]string{"any sinceImagePushed 1 transition"},
			images{pushed("a", 4), pushed("b", 4), with(pushed("c", 4), listing("a")), with(with(pushed("d", 4), listing("b")), archivedDaysAgo(1))},
			[]string{"1 b", "1 c"},
		},
		"what is listed in the archive does not expire": {
			[]string{"any sinceImageTransitioned 90 expire"},
			images{with(pushed("a", 200), archivedDaysAgo(100)), with(with(pushed("b", 200), archivedDaysAgo(100)), listing("a"))},
			[]string{"1 b"},
		},
		"since the last pull, or the push": {
			[]string{"any sinceImagePulled 30 transition"},
			images{with(pushed("a", 90), pulled(31)), with(pushed("b", 90), pulled(29)), pushed("c", 31), pushed("d", 29)},
			[]string{"1 a", "1 c"},
		},
		"since it was restored": {
			[]string{"any sinceImagePulled 30 transition"},
			images{with(with(pushed("a", 90), pulled(60)), restored(10)), with(with(pushed("b", 90), pulled(60)), restored(40))},
			[]string{"1 b"},
		},
		"restored images are as young as that": {
			[]string{"any imageCountMoreThan 1 expire"},
			images{with(pushed("a", 90), restored(1)), pushed("b", 2)},
			[]string{"1 b"},
		},
		"the archive is another class": {
			[]string{"any sinceImagePulled 30 transition", "any sinceImageTransitioned 90 expire"},
			images{pushed("a", 90), with(pushed("b", 200), archivedDaysAgo(90)), with(pushed("c", 200), archivedDaysAgo(89))},
			[]string{"1 a", "2 b"},
		},
		"within a second": {
			[]string{"any imageCountMoreThan 1 expire"},
			images{
				with(pushed("a", 1), func(i *record.RepositoryImage) { i.PushedAt = i.Image.ImagePushedAt.Add(2) }),
				with(pushed("b", 1), func(i *record.RepositoryImage) { i.PushedAt = i.Image.ImagePushedAt.Add(1) }),
			},
			[]string{"1 b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, m := range plan.EvaluateLifecycle(rules(t, c.rules...), c.images, noon) {
				got = append(got, fmt.Sprint(m.Rule.RulePriority, " ", m.Image.Digest()))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the rules and images: an image is marked once at most; what an index lists
// does not expire before it; a rule that keeps the newest keeps as many; and carried
// out day by day it comes to an end at which nothing is marked.
func TestLifecycleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		images := map[string]*record.RepositoryImage{}
		for n := range rapid.IntRange(0, 12).Draw(t, "images") {
			i := pushed(fmt.Sprintf("i%02d", n), rapid.IntRange(0, 9).Draw(t, "age"), rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a1", "a2", "b1"}), 0, 2, rapid.ID).Draw(t, "tags")...)
			if n > 0 && rapid.Bool().Draw(t, "index") {
				i.Children = []string{fmt.Sprintf("i%02d", rapid.IntRange(0, n-1).Draw(t, "child"))}
			}
			images[i.Digest()] = i
		}
		most := rapid.IntRange(1, 4).Draw(t, "most")
		p := rules(t, "tagged a imageCountMoreThan 1 expire", "untagged sinceImagePushed 5 transition", fmt.Sprintf("any imageCountMoreThan %d expire", most))
		for range len(images) + 2 {
			marks := plan.EvaluateLifecycle(p, slices.Collect(maps.Values(images)), noon)
			if len(marks) == 0 {
				return
			}
			seen := map[string]bool{}
			for _, m := range marks {
				d := m.Image.Digest()
				if seen[d] {
					t.Fatalf("%s is marked twice", d)
				}
				seen[d] = true
				for _, index := range images {
					if m.Rule.Action.Type == "expire" && slices.Contains(index.Children, d) {
						t.Fatalf("%s expires before %s", d, index.Digest())
					}
				}
			}
			before := len(images)
			for _, m := range marks {
				if m.Rule.Action.Type == "expire" {
					delete(images, m.Image.Digest())
				} else {
					archivedDaysAgo(0)(m.Image)
				}
			}
			if before >= most && len(images) < min(most, before) && !slices.ContainsFunc(marks, func(m plan.LifecycleMark) bool { return m.Rule.RulePriority == 1 }) {
				t.Fatalf("%d of %d images are left", len(images), before)
			}
		}
		t.Fatal("it does not come to an end")
	})
}

func TestLifecycleDue(t *testing.T) {
	for name, c := range map[string]struct {
		r    record.Repository
		want time.Time
	}{
		"no policy":     {record.Repository{}, time.Time{}},
		"new policy":    {record.Repository{LifecyclePolicy: "{}", LifecyclePolicySetAt: noon}, noon.Add(time.Hour)},
		"has run":       {record.Repository{LifecyclePolicy: "{}", LifecyclePolicySetAt: noon, LifecyclePolicyRunAt: noon.Add(time.Hour)}, noon.Add(25 * time.Hour)},
		"replaced":      {record.Repository{LifecyclePolicy: "{}", LifecyclePolicySetAt: noon, LifecyclePolicyRunAt: noon.Add(-time.Hour)}, noon.Add(time.Hour)},
		"of a previous": {record.Repository{LifecyclePolicy: "{}"}, time.Time{}.Add(time.Hour)},
	} {
		if got := plan.LifecycleDue(&c.r, 1); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := plan.LifecycleDue(&record.Repository{LifecyclePolicy: "{}", LifecyclePolicySetAt: noon}, fargo.Pace(60)); !got.Equal(noon.Add(time.Minute)) {
		t.Errorf("sixty times as fast: %v", got)
	}
}
