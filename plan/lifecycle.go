package plan

import (
	"cmp"
	"slices"
	"time"

	"fargo"
	"fargo/aws/ecr"
	"fargo/record"
)

const (
	// lifecyclePeriod is how often a lifecycle policy is carried out: an image is
	// gone within a day after it has met the criteria.
	// Source: ECR user guide, "How lifecycle policies work".
	lifecyclePeriod = 24 * time.Hour
	// lifecycleDelay is how long a new policy waits, so that a mistake can be
	// taken back.
	lifecycleDelay = time.Hour
)

// LifecycleDue says when a repository's policy is to be carried out: never, when the
// time is zero.
func LifecycleDue(r *record.Repository, pace fargo.Pace) time.Time {
	if r.LifecyclePolicy == "" {
		return time.Time{}
	}
	if at := r.LifecycleEvaluated(); !at.IsZero() {
		return at.Add(pace.Of(lifecyclePeriod))
	}
	return r.LifecyclePolicySetAt.Add(pace.Of(lifecycleDelay))
}

// LifecycleMark is what a policy does with one image.
type LifecycleMark struct {
	Image *record.RepositoryImage
	Rule  *LifecycleRule
}

// EvaluateLifecycle decides which of a repository's images expire and which are
// archived, older ones first.
//
//   - All rules identify images first, each as if there were no other; then they are
//     applied by priority.
//   - An image that meets the tagging requirements of a rule is not touched by a
//     later one that selects the same storage class.
//   - An image that an index lists stays as long as the index does. It counts.
//
// Source: ECR user guide, "Lifecycle policy evaluation rules".
func EvaluateLifecycle(p LifecyclePolicy, images []*record.RepositoryImage, now time.Time) []LifecycleMark {
	parents := parentsOf(images)
	images = slices.Clone(images)
	slices.SortFunc(images, func(a, b *record.RepositoryImage) int {
		return cmp.Or(standardSince(a).Compare(standardSince(b)), cmp.Compare(a.Digest(), b.Digest()))
	})
	taken := map[string]bool{}
	var marks []LifecycleMark
	for i := range p.Rules {
		rule := &p.Rules[i]
		selected := rule.selects(images)
		for _, image := range rule.identifies(selected, now) {
			if !taken[image.Digest()] && !held(rule, parents[image.Digest()]) {
				marks = append(marks, LifecycleMark{image, rule})
			}
		}
		for _, image := range selected {
			taken[image.Digest()] = true
		}
	}
	return marks
}

// selects gives the images of the rule's storage class whose tags it is about.
func (r *LifecycleRule) selects(images []*record.RepositoryImage) []*record.RepositoryImage {
	var selected []*record.RepositoryImage
	for _, i := range images {
		if archived(i) == r.Selection.Archive() && r.Selection.matchesTags(i.Image.ImageTags) {
			selected = append(selected, i)
		}
	}
	return selected
}

// identifies gives those of the selected images, oldest first, that are too many or
// too old.
func (r *LifecycleRule) identifies(selected []*record.RepositoryImage, now time.Time) []*record.RepositoryImage {
	var since func(*record.RepositoryImage) time.Time
	switch r.Selection.CountType {
	case "imageCountMoreThan":
		return selected[:max(0, int64(len(selected))-r.Selection.CountNumber)]
	case "sinceImagePushed":
		since = standardSince
	case "sinceImagePulled":
		since = pulledSince
	case "sinceImageTransitioned":
		since = func(i *record.RepositoryImage) time.Time { return valueOr(i.Image.LastArchivedAt, now) }
	}
	var old []*record.RepositoryImage
	for _, i := range selected {
		if int64(now.Sub(since(i))/(24*time.Hour)) >= r.Selection.CountNumber {
			old = append(old, i)
		}
	}
	return old
}

// standardSince is since when an image has been what it is: when it was pushed, or
// restored from the archive.
func standardSince(i *record.RepositoryImage) time.Time {
	return valueOr(i.Image.LastActivatedAt, i.Pushed())
}

// pulledSince is when an image was pulled last: or pushed, if never, or restored, if
// not since.
func pulledSince(i *record.RepositoryImage) time.Time {
	at := standardSince(i)
	if pulled := valueOr(i.Image.LastRecordedPullTime, time.Time{}); pulled.After(at) {
		return pulled
	}
	return at
}

func valueOr(t *time.Time, other time.Time) time.Time {
	if t == nil {
		return other
	}
	return *t
}

func archived(i *record.RepositoryImage) bool {
	return i.Image.ImageStatus == ecr.ImageStatusArchived
}

// held reports whether one of the indexes that list an image keeps it: an index that
// is there keeps it from expiring, one that can be pulled from being archived too.
func held(r *LifecycleRule, parents []*record.RepositoryImage) bool {
	return slices.ContainsFunc(parents, func(index *record.RepositoryImage) bool {
		return r.Action.Type == "expire" || !archived(index)
	})
}

// parentsOf gives the indexes that list each image, by its digest.
func parentsOf(images []*record.RepositoryImage) map[string][]*record.RepositoryImage {
	parents := map[string][]*record.RepositoryImage{}
	for _, index := range images {
		for _, child := range index.Children {
			parents[child] = append(parents[child], index)
		}
	}
	return parents
}
