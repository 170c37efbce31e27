package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo/record"
)

var secretBegan = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The commands of the scenarios are
//
//	put <version> [<label> …]     a new version
//	move <label> [<from>] -> [<to>]
//	get [<version>] [@<label>]
//	hours <n>                     time passes
//	puts <n>                      n new versions with the label "x"
func TestSecretStages(t *testing.T) {
	scenarios(t, "testdata/secretversion", func() func(*testing.T, string) string {
		s, now, made := &record.Secret{}, secretBegan, 0
		put := func(id string, stages []string) error {
			versions, dropped, err := AddSecretVersion(s, record.SecretVersion{ID: id, CreatedAt: now}, stages)
			if err == nil {
				s.Versions = versions
			}
			if len(dropped) > 0 {
				err = fmt.Errorf("dropped %s", strings.Join(dropped, " "))
			}
			return err
		}
		return func(t *testing.T, command string) string {
			word, rest, _ := strings.Cut(command, " ")
			args := strings.Fields(rest)
			var out string
			var err error
			switch word {
			case "put":
				err = put(args[0], args[1:])
			case "puts":
				n := 0
				fmt.Sscan(rest, &n)
				for ; n > 0 && err == nil; n-- {
					made++
					err = put(fmt.Sprint("n", made), []string{"x"})
				}
				out = fmt.Sprintf("%d versions\n", len(s.Versions))
			case "move":
				label, rest, _ := strings.Cut(rest, " ")
				from, to, _ := strings.Cut(rest, "->")
				var versions []record.SecretVersion
				if versions, err = MoveSecretStage(s, label, strings.TrimSpace(from), strings.TrimSpace(to)); err == nil {
					s.Versions = versions
				}
			case "get":
				version, label, _ := strings.Cut(rest, "@")
				out, err = SecretVersion(s, strings.TrimSpace(version), label)
			case "hours":
				n := 0
				fmt.Sscan(rest, &n)
				now = now.Add(time.Duration(n) * time.Hour)
				return now.Format(time.DateTime)
			default:
				t.Fatalf("no command %q", command)
			}
			switch {
			case err != nil:
				return strings.TrimSpace(out + err.Error())
			case out != "":
				return strings.TrimSpace(out)
			}
			return showVersions(s)
		}
	})
}

func showVersions(s *record.Secret) string {
	var lines []string
	for _, v := range s.Versions {
		lines = append(lines, strings.TrimSpace(v.ID+" "+strings.Join(v.Stages, " ")))
	}
	return strings.Join(lines, "\n")
}

// Whatever is put and moved, a label is on one version at most, AWSCURRENT on exactly one
// once there is any, who loses it has AWSPREVIOUS, and what was given is not changed.
func TestSecretStagesHold(t *testing.T) {
	labels := rapid.SampledFrom([]string{record.StageCurrent, record.StagePrevious, record.StagePending, "a", "b"})
	ids := rapid.SampledFrom([]string{"", "v1", "v2", "v3", "v4", "v9"})
	rapid.Check(t, func(t *rapid.T) {
		s := &record.Secret{}
		change := func(t *rapid.T, versions []record.SecretVersion, err error) {
			if err != nil {
				return
			}
			before, after := s.Staged(record.StageCurrent), &record.Secret{Versions: versions}
			current := after.Staged(record.StageCurrent)
			if before != nil && current != nil && before.ID != current.ID && !after.Version(before.ID).Has(record.StagePrevious) &&
				!current.Has(record.StagePrevious) { // who is given both explicitly has both
				t.Fatalf("%s lost AWSCURRENT and is not AWSPREVIOUS:\n%s", before.ID, showVersions(after))
			}
			s = after
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				if len(s.Versions) == 30 {
					t.Skip("enough of them") // a secret takes a hundred in a day
				}
				id := fmt.Sprint("v", len(s.Versions)+1)
				was := showVersions(s)
				versions, _, err := AddSecretVersion(s, record.SecretVersion{ID: id}, rapid.SliceOfNDistinct(labels, 0, 3, rapid.ID).Draw(t, "labels"))
				if err != nil {
					t.Fatal(err)
				}
				if showVersions(s) != was {
					t.Fatalf("what was given has changed:\n%s", showVersions(s))
				}
				change(t, versions, err)
			},
			"move": func(t *rapid.T) {
				was := showVersions(s)
				versions, err := MoveSecretStage(s, labels.Draw(t, "label"), ids.Draw(t, "from"), ids.Draw(t, "to"))
				if showVersions(s) != was {
					t.Fatalf("what was given has changed:\n%s", showVersions(s))
				}
				change(t, versions, err)
			},
			"": func(t *rapid.T) {
				has := map[string]int{}
				for _, v := range s.Versions {
					if !slices.IsSorted(v.Stages) {
						t.Fatalf("labels of %s are not in order: %v", v.ID, v.Stages)
					}
					for _, stage := range v.Stages {
						has[stage]++
					}
				}
				for stage, n := range has {
					if n > 1 {
						t.Fatalf("%s is on %d versions:\n%s", stage, n, showVersions(s))
					}
				}
				if len(s.Versions) > 0 && has[record.StageCurrent] != 1 {
					t.Fatalf("AWSCURRENT is on no version:\n%s", showVersions(s))
				}
			},
		})
	})
}

// A read is news once a day, for each version.
func TestReadSecret(t *testing.T) {
	s := &record.Secret{Versions: []record.SecretVersion{{ID: "v1"}, {ID: "v2"}}}
	read := ReadSecret(s, "v1", secretBegan)
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if read == nil || !read.AccessedAt.Equal(midnight) || !read.Versions[0].AccessedAt.Equal(midnight) || !read.Versions[1].AccessedAt.IsZero() {
		t.Fatalf("the first read gives %+v", read)
	}
	if !s.Versions[0].AccessedAt.IsZero() {
		t.Error("what was given has changed")
	}
	if again := ReadSecret(read, "v1", secretBegan.Add(11*time.Hour)); again != nil {
		t.Errorf("the second read of a day gives %+v", again)
	}
	if ReadSecret(read, "v2", secretBegan) == nil {
		t.Error("the first read of another version is no news")
	}
	if next := ReadSecret(read, "v1", secretBegan.Add(12*time.Hour)); next == nil || !next.AccessedAt.Equal(midnight.AddDate(0, 0, 1)) {
		t.Errorf("the first read of the next day gives %+v", next)
	}
}
