package contract_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

// The simulated AWS answers as every account did that was asked: docs/first-account.md tells how to add one.
func TestTheSimulatorAnswersAsAWSDid(t *testing.T) {
	all, err := contract.ReadAnswers(os.DirFS("answers"))
	require.NoError(t, err)
	require.Empty(t, contract.Judge(contract.Questions(), all))
	t.Logf("%d accounts have been asked", len(all))
}

func TestAnAnswerThatTheSimulatorLacksIsToldToBeLearnt(t *testing.T) {
	questions := []contract.Question{
		{Name: "zone", Believed: "not told", Doubts: map[string]string{"zones-told": "told"}},
	}
	file := func(asked, partition, answer string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"asked":"` + asked + `","partition":"` + partition +
			`","region":"r","answers":{"zone":"` + answer + `"}}`)}
	}
	for _, tc := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"nobody has asked", fstest.MapFS{}, nil},
		{"as believed", fstest.MapFS{"a.json": file("2026-12-01", "aws", "not told")}, nil},
		{
			"a doubt, elsewhere", fstest.MapFS{
				"a.json": file("2026-12-01", "aws", "not told"), "b.json": file("2026-12-02", "aws-cn", "told"),
			}, nil,
		},
		{
			"a doubt, which has been seen to no more",
			fstest.MapFS{"b.json": file("2026-12-01", "aws", "told"), "a.json": file("2026-12-02", "aws", "not told")},
			nil,
		},
		{
			"a doubt, which is so now",
			fstest.MapFS{"a.json": file("2026-12-01", "aws", "told")},
			[]string{
				`zone: the newest answer of aws is "told", which is simulated as a doubt only; believe it, and make "not told" ` +
					`the doubt`,
			},
		},
		{
			"what nobody thought of",
			fstest.MapFS{"a.json": file("2026-12-01", "aws-cn", "all")},
			[]string{
				`zone, aws-cn in r on 2026-12-01: "all": the simulated AWS says "not told" or "told"; give it this answer, see ` +
					`what a wave does with it, then write it as believed`,
			},
		},
		{
			"a question that is gone",
			fstest.MapFS{"a.json": {Data: []byte(`{"asked":"2026-12-01","partition":"aws","region":"r","answers":{"x":"y"}}`)}},
			[]string{
				`x, aws in r on 2026-12-01: "y": there is no question of that name any more; take it out of the file`,
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all, err := contract.ReadAnswers(tc.files)
			require.NoError(t, err)
			require.Equal(t, tc.want, contract.Judge(questions, all))
		})
	}
	_, err := contract.ReadAnswers(fstest.MapFS{"a.json": {Data: []byte("{")}})
	require.ErrorContains(t, err, "a.json")
}

func TestAnswersAreWrittenAndRead(t *testing.T) {
	folder := t.TempDir()
	wrote := contract.Answers{
		Asked: "2026-12-01", Partition: "aws", Region: "ap-northeast-1",
		Answers: map[string]string{"zone": "told"}, Missing: map[string]string{"other": "needs a key"},
	}
	name, err := wrote.Write(folder)
	require.NoError(t, err)
	require.FileExists(t, name)
	read, err := contract.ReadAnswers(os.DirFS(folder))
	require.NoError(t, err)
	require.Equal(t, []contract.Answers{wrote}, read)

	again := contract.Answers{
		Asked: wrote.Asked, Partition: "aws", Region: wrote.Region, Answers: map[string]string{"other": "yes"},
		Missing: map[string]string{"zone": "it could not be asked"},
	}
	_, err = again.Write(folder)
	require.NoError(t, err)
	read, err = contract.ReadAnswers(os.DirFS(folder))
	require.NoError(t, err)
	require.Len(t, read, 1)
	require.Equal(t, map[string]string{"zone": "told", "other": "yes"}, read[0].Answers, "what was answered stays")
	require.Empty(t, read[0].Missing)
}
