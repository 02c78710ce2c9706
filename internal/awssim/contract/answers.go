package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Answers are what one account of AWS answered on one day. They name nothing of the account.
type Answers struct {
	Asked     string            `json:"asked"`     // day, 2026-12-01
	Partition string            `json:"partition"` // aws, aws-cn, aws-us-gov
	Region    string            `json:"region"`
	Answers   map[string]string `json:"answers"`              // by question
	Missing   map[string]string `json:"unanswered,omitempty"` // by question: why there is none
}

// Write writes the answers into a folder, over those that were given to the same questions on that day, and returns the
// file's name.
func (a Answers) Write(folder string) (string, error) {
	name := filepath.Join(folder, a.Asked+"-"+a.Region+".json")
	if before, err := os.ReadFile(name); err == nil {
		var old Answers
		if err := json.Unmarshal(before, &old); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		a = a.over(old)
	}
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return "", err
	}
	return name, os.WriteFile(name, append(text, '\n'), 0o644)
}

// over has what was answered before as well, and why what never was.
func (a Answers) over(old Answers) Answers {
	answers, missing := maps.Clone(old.Answers), maps.Clone(old.Missing)
	if answers == nil {
		answers = map[string]string{}
	}
	if missing == nil {
		missing = map[string]string{}
	}
	maps.Copy(answers, a.Answers)
	maps.Copy(missing, a.Missing)
	maps.DeleteFunc(missing, func(question, _ string) bool { _, answered := answers[question]; return answered })
	a.Answers, a.Missing = answers, missing
	return a
}

// ReadAnswers reads every .json file of a folder, the oldest first.
func ReadAnswers(folder fs.FS) ([]Answers, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, err
	}
	var all []Answers
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		var one Answers
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b Answers) int { return cmp.Compare(a.Asked, b.Asked) })
	return all, nil
}

// Judge says of what AWS answered what the simulated AWS has to learn: an answer that it never gives, or one which it
// gives as a doubt only and which is the newest that the partition aws gave. It is empty where nothing is to be done.
func Judge(questions []Question, all []Answers) []string {
	byName := map[string]Question{}
	for _, question := range questions {
		byName[question.Name] = question
	}
	var learn []string
	newest := map[string]Answers{}
	for _, one := range all {
		for _, name := range slices.Sorted(maps.Keys(one.Answers)) {
			answer := one.Answers[name]
			question, known := byName[name]
			where := fmt.Sprintf("%s, %s in %s on %s: %q", name, one.Partition, one.Region, one.Asked, answer)
			switch {
			case !known:
				learn = append(learn, where+": there is no question of that name any more; take it out of the file")
			case !question.gives(answer):
				learn = append(learn, fmt.Sprintf("%s: the simulated AWS says %s; give it this answer, see what a wave does "+
					"with it, then write it as believed", where, strings.Join(question.answers(), " or ")))
			case one.Partition == "aws":
				newest[name] = one
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		if answer := newest[name].Answers[name]; answer != byName[name].Believed {
			learn = append(learn, fmt.Sprintf("%s: the newest answer of aws is %q, which is simulated as a doubt only; believe "+
				"it, and make %q the doubt", name, answer, byName[name].Believed))
		}
	}
	return learn
}

// answers are all that the simulated AWS can give, the believed one first.
func (q Question) answers() []string {
	all := []string{fmt.Sprintf("%q", q.Believed)}
	for _, doubt := range slices.Sorted(maps.Keys(q.Doubts)) {
		all = append(all, fmt.Sprintf("%q", q.Doubts[doubt]))
	}
	return all
}

func (q Question) gives(answer string) bool {
	return answer == q.Believed || slices.Contains(slices.Collect(maps.Values(q.Doubts)), answer)
}
