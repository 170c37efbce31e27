package ecr

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// StartLifecyclePolicyPreview asks what a lifecycle policy would do, the one given or
// the repository's. The answer is there at once.
func (s *Server) StartLifecyclePolicyPreview(ctx context.Context, in *ecr.StartLifecyclePolicyPreviewInput) (*ecr.StartLifecyclePolicyPreviewOutput, error) {
	if in.LifecyclePolicyText != nil {
		if err := checkLifecycle(*in.LifecyclePolicyText); err != nil {
			return nil, err
		}
	}
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		preview := record.LifecyclePreview{Policy: r.LifecyclePolicy, At: time.Now()}
		if in.LifecyclePolicyText != nil {
			preview.Policy = *in.LifecyclePolicyText
		}
		if preview.Policy == "" {
			return lifecycleNotFound(r)
		}
		r.LifecyclePreview = &preview
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.StartLifecyclePolicyPreviewOutput{
		RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName,
		LifecyclePolicyText: &r.LifecyclePreview.Policy, Status: ecr.LifecyclePolicyPreviewStatusInProgress,
	}, nil
}

// GetLifecyclePolicyPreview shows what the policy of the last preview would do with
// the images there were when it was asked for, and still are.
func (s *Server) GetLifecyclePolicyPreview(ctx context.Context, in *ecr.GetLifecyclePolicyPreviewInput) (*ecr.GetLifecyclePolicyPreviewOutput, error) {
	v, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.ImageIds) > 0 && (in.NextToken != nil || in.MaxResults != nil) {
		return nil, errPagedImageIDs
	}
	if r.LifecyclePreview == nil {
		return nil, ecr.LifecyclePolicyPreviewNotFoundException("There is no dry run for this repository.")
	}
	marks, err := previewed(v, r)
	if err != nil {
		return nil, err
	}
	out := &ecr.GetLifecyclePolicyPreviewOutput{
		RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName,
		LifecyclePolicyText: &r.LifecyclePreview.Policy, Status: ecr.LifecyclePolicyPreviewStatusComplete,
		Summary: summary(marks),
	}
	tags := aws.Value(in.Filter).TagStatus
	marks = slices.DeleteFunc(marks, func(m plan.LifecycleMark) bool {
		return !wanted(m.Image, tags, "") || len(in.ImageIds) > 0 && !named(in.ImageIds, m.Image)
	})
	shown, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), slices.Values(marks), markKey)
	if err != nil {
		return nil, err
	}
	out.NextToken, out.PreviewResults = next, []ecr.LifecyclePolicyPreviewResult{}
	for _, m := range shown {
		out.PreviewResults = append(out.PreviewResults, previewResult(m))
	}
	return out, nil
}

// previewed is what the previewed policy does, in the order of digests.
func previewed(v store.Reader, r *record.Repository) ([]plan.LifecycleMark, error) {
	p, err := plan.ParseLifecyclePolicy(r.LifecyclePreview.Policy)
	if err != nil {
		return nil, err
	}
	var images []*record.RepositoryImage
	for i := range imagesOf(v, r, "", "") {
		if !i.Pushed().After(r.LifecyclePreview.At) {
			images = append(images, i)
		}
	}
	marks := plan.EvaluateLifecycle(p, images, r.LifecyclePreview.At)
	slices.SortFunc(marks, func(a, b plan.LifecycleMark) int { return strings.Compare(markKey(a), markKey(b)) })
	return marks, nil
}

func markKey(m plan.LifecycleMark) string { return m.Image.Digest() }

// named reports whether an image is among those that ids name.
func named(ids []ecr.ImageIdentifier, i *record.RepositoryImage) bool {
	return slices.ContainsFunc(ids, func(id ecr.ImageIdentifier) bool {
		return (id.ImageDigest == nil || *id.ImageDigest == i.Digest()) && (id.ImageTag == nil || hasTag(i, *id.ImageTag))
	})
}

func summary(marks []plan.LifecycleMark) *ecr.LifecyclePolicyPreviewSummary {
	var expiring, archiving int32
	for _, m := range marks {
		if m.Rule.Action.Type == "transition" {
			archiving++
		} else {
			expiring++
		}
	}
	s := &ecr.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: &expiring}
	if archiving > 0 {
		s.TransitioningImageTotalCounts = []ecr.TransitioningImageTotalCount{{
			TargetStorageClass: ecr.LifecyclePolicyTargetStorageClassArchive, ImageTotalCount: &archiving,
		}}
	}
	return s
}

func previewResult(m plan.LifecycleMark) ecr.LifecyclePolicyPreviewResult {
	action, class := &ecr.LifecyclePolicyRuleAction{Type: ecr.ImageActionTypeExpire}, ecr.LifecyclePolicyStorageClassStandard
	if m.Rule.Action.Type == "transition" {
		action.Type, action.TargetStorageClass = ecr.ImageActionTypeTransition, ecr.LifecyclePolicyTargetStorageClassArchive
	}
	if m.Rule.Selection.Archive() {
		class = ecr.LifecyclePolicyStorageClassArchive
	}
	return ecr.LifecyclePolicyPreviewResult{
		ImageTags: m.Image.Image.ImageTags, ImageDigest: m.Image.Image.ImageDigest, ImagePushedAt: m.Image.Image.ImagePushedAt,
		Action: action, AppliedRulePriority: &m.Rule.RulePriority, StorageClass: class,
	}
}
