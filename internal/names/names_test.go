package names_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

func named(name string) patch.Group {
	return patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1", AutoScalingGroup: name,
	}
}

func tagged(tags map[string]string) patch.Group {
	return patch.Group{Account: patch.Account{Name: "staging", ID: "222233334444"}, Region: "eu-west-1", Tags: tags}
}

func TestLocks(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"a group", names.GroupLock(named("web")), "patch-group/111122223333/ap-northeast-1/web"},
		{
			"tags: the sorted selector", names.GroupLock(tagged(map[string]string{"Tier": "front", "Role": "web"})),
			"patch-group/222233334444/eu-west-1/Role=web,Tier=front",
		},
		{"an instance", names.InstanceLock(named("web"), "i-1"), "patch-instance/111122223333/ap-northeast-1/i-1"},
		{
			"an instance's lock knows no group", names.InstanceLock(named("api"), "i-1"),
			"patch-instance/111122223333/ap-northeast-1/i-1",
		},
		{"a service", names.ServiceLock("web"), "patch-service/web"},
		{"a queue", names.ActivityQueue(named("web").Account, "ap-northeast-1"), "patchtide-111122223333-ap-northeast-1"},
		{"a journal record", names.JournalRecord(named("web"), "i-1"), "111122223333/ap-northeast-1/i-1"},
		{"a group's journal record", names.JournalRecord(named("web"), ""), "111122223333/ap-northeast-1/group-web"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.got) })
	}
}

func TestLongNamesStayRecognisableUniqueAndShort(t *testing.T) {
	long := strings.Repeat("é", 255) // Auto Scaling's longest name
	for name, lock := range map[string]func(string) string{
		"group":   func(s string) string { return names.GroupLock(named(s)) },
		"tags":    func(s string) string { return names.GroupLock(tagged(map[string]string{"Role": s})) },
		"service": names.ServiceLock,
		"journal": func(s string) string { return names.JournalRecord(named(s), "") },
	} {
		t.Run(name, func(t *testing.T) {
			one, other := lock(long), lock(long+"x")
			require.NotEqual(t, one, other)
			require.Equal(t, one, lock(long), "a lock must be the same for every wave")
			require.Less(t, len(one), 255)
			require.True(t, utf8.ValidString(one))
			require.Contains(t, one, "éééé")
		})
	}
	require.Equal(
		t, "patch-service/"+strings.Repeat("a", 200), names.ServiceLock(strings.Repeat("a", 200)),
		"200 characters are not too long",
	)
}

func TestSearchAttributesFitPostgreSQL(t *testing.T) {
	attributes := names.SearchAttributes()
	require.LessOrEqual(t, len(attributes), 10, "PostgreSQL's visibility store has room for ten keywords")
	seen := map[string]bool{}
	for _, attribute := range attributes {
		require.True(t, strings.HasPrefix(attribute, "Patchtide"), attribute)
		require.False(t, seen[attribute], "%s twice", attribute)
		seen[attribute] = true
	}
}

// A wave is started under an id by which it can be rolled back, and under none of a roll back.
func TestCheckNewWaveID(t *testing.T) {
	for id, wrong := range map[string]string{
		"wave-web-20261108-020000":   "",
		strings.Repeat("w", 110):     "",
		strings.Repeat("w", 111):     "its roll back could not be named",
		strings.Repeat("夜", 67):      "its roll back could not be named",
		names.RollBack("wave-web-1"): "is the roll back of a wave",
		"wave 7":                     "only letters, digits",
	} {
		err := names.CheckNewWaveID(id)
		if wrong == "" {
			require.NoError(t, err)
			require.NoError(t, names.CheckWaveID(names.RollBack(id)))
			wave, is := names.RolledBackBy(names.RollBack(id))
			require.True(t, is)
			require.Equal(t, id, wave)
			continue
		}
		require.ErrorContains(t, err, wrong, id)
		require.ErrorContains(t, err, "start the wave under")
	}
}

func TestCheckWaveID(t *testing.T) {
	for _, c := range []struct {
		name, id string
		wrong    string // "": it is right
	}{
		{"ours", "wave-web-20261108-020000", ""},
		{"Temporal's own", "0197c9a5-5b4c-7d3f-8f6e-2b1a0c9d8e7f", ""},
		{"in other letters", "вечер/夜", ""},
		{"with a space, which ends it in the journal's tag", "wave 7", "only letters, digits"},
		{"with what Systems Manager takes in no tag", "wave#7", "only letters, digits"},
		{"longer than the journal's tag has room", strings.Repeat("w", 121), "longer than 120 characters"},
		{"none", "", "only letters, digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := names.CheckWaveID(c.id)
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wrong)
			require.ErrorContains(t, err, "start the wave under")
		})
	}
}

func TestLocked(t *testing.T) {
	group := tagged(map[string]string{"a/b": "c"})
	require.Equal(t, "eu-west-1/"+group.Name(), names.Locked(names.GroupLock(group)))
	require.Equal(t, "i-1", names.Locked(names.InstanceLock(group, "i-1")))
	require.Equal(t, "checkout", names.Locked(names.ServiceLock("checkout")))
	require.Empty(t, names.Locked("wave-web-1"))
	require.Equal(t, names.InstanceLock(group, "i-1"), names.InstanceOf(names.GroupLock(group), "i-1"))
	require.Empty(t, names.InstanceOf("", "i-1"))
	require.Equal(t, "await in service", names.Words("AwaitInService"))
}
