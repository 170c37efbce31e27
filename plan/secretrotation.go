package plan

import (
	"fmt"
	"slices"
	"time"

	"fargo/record"
)

// rotationSteps are what the function of a rotation is called for, in order.
// Source: Secrets Manager user guide, "Rotation by Lambda function".
var rotationSteps = []string{"createSecret", "setSecret", rotationTest, rotationFinish}

const (
	rotationTest   = "testSecret"
	rotationFinish = "finishSecret"
)

const (
	// rotationRetry is how long a rotation rests after its first failure. The rest doubles
	// with each one until longestRotationRetry. AWS's times are not documented.
	rotationRetry        = 5 * time.Second
	longestRotationRetry = time.Hour
)

// RotationPending reports whether a rotation of a secret has begun and not ended: one is
// under way, or AWSPENDING is left on a version that is not AWSCURRENT.
func RotationPending(s *record.Secret) bool {
	pending := s.Staged(record.StagePending)
	return pending != nil && !pending.Has(record.StageCurrent) || s.Rotation != nil && s.Rotation.Pending != nil
}

// BeginRotation begins a rotation of a secret: there is a version without a value whose
// staging label is AWSPENDING, and the first step is next. A test has testSecret only.
// source is what the function is to prove with that it acts for this rotation.
func BeginRotation(changed *record.Secret, token, source string, test bool, now time.Time) error {
	versions, _, err := AddSecretVersion(changed, record.SecretVersion{ID: token, CreatedAt: now, Empty: true, KMSKeyID: changed.KMSKeyID}, []string{record.StagePending})
	if err != nil {
		return err
	}
	p := &record.PendingRotation{Token: token, Source: source, Step: rotationSteps[0], Test: test}
	if test {
		p.Step = rotationTest
	}
	changed.Versions = versions
	setPending(changed, p)
	return nil
}

// setPending replaces the rotation under way.
func setPending(changed *record.Secret, p *record.PendingRotation) {
	r := *changed.Rotation
	r.Pending = p
	changed.Rotation = &r
}

// RotationDue reports whether a rotation of a secret is to begin by itself. next is when
// to ask again; zero when none comes.
func RotationDue(s *record.Secret, now time.Time) (due bool, next time.Time) {
	r := s.Rotation
	if r == nil || !r.Enabled || r.DueAt.IsZero() || r.Pending != nil {
		return false, time.Time{}
	}
	return !now.Before(r.DueAt), r.DueAt
}

// RotationAbandoned reports whether the rotation under way has lost its version: somebody
// has taken the staging labels away, or given the secret a new value meanwhile.
func RotationAbandoned(s *record.Secret) bool {
	v := s.Version(s.Rotation.Pending.Token)
	return v == nil || !v.Has(record.StagePending) && !v.Has(record.StageCurrent)
}

// RotationStepped is a secret after the function has ended, with failure or nil, the step
// that was next. A rotation that fails begins anew, with the same token, after a rest.
// Done says that the rotation is over; its failure, if it has one, is the error.
func RotationStepped(s *record.Secret, failure error, now time.Time) (changed record.Secret, done bool, err error) {
	changed, p := *s, *s.Rotation.Pending
	switch {
	case RotationAbandoned(s):
		setPending(&changed, nil)
		return changed, true, fmt.Errorf("the version %s of the rotation has no staging label any more", p.Token)
	case p.Test:
		changed.Versions = slices.DeleteFunc(slices.Clone(s.Versions), func(v record.SecretVersion) bool { return v.ID == p.Token })
		setPending(&changed, nil)
		return changed, true, failure
	case failure == nil && p.Step == rotationFinish && !s.Version(p.Token).Has(record.StageCurrent):
		failure = fmt.Errorf("the function has not moved AWSCURRENT to the version %s", p.Token)
	}
	if failure != nil {
		rest := min(rotationRetry<<min(p.Failures, 20), longestRotationRetry)
		p.Step, p.Failures, p.RetryAt = rotationSteps[0], p.Failures+1, now.Add(rest)
		setPending(&changed, &p)
		return changed, false, failure
	}
	if p.Step != rotationFinish {
		p.Step = rotationSteps[slices.Index(rotationSteps, p.Step)+1]
		setPending(&changed, &p)
		return changed, false, nil
	}
	changed.Versions = slices.Clone(s.Versions)
	detach(changed.Versions, record.StagePending)
	r := *s.Rotation
	r.Pending, r.LastAt = nil, now
	r.DueAt, r.NextAt = NextRotation(&r, now)
	changed.Rotation = &r
	return changed, true, nil
}
