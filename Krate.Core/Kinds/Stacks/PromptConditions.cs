using Krate.Core.Agents;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>What is said of texts that are added to prompts.</summary>
internal static class PromptConditions
{
    public const string PromptSafe = "PromptSafe";
    public const string Unsafe = "SkillPromptUnsafe";
    private const int MostNamed = 5;

    /// <param name="texts">With the name of where each is.</param>
    public static Condition Of(IEnumerable<(string Place, string Text)> texts)
    {
        var found = texts.SelectMany(t => PromptSafety.Scan(t.Text).Select(f => $"{t.Place} line {f.Line}: {f.Problem}")).ToList();
        if (found.Count == 0) return new(PromptSafe, Condition.True, "NothingFound", "Nothing in the text is known to be an attack.");
        var more = found.Count > MostNamed ? $" and {found.Count - MostNamed} more" : "";
        return new(PromptSafe, Condition.False, Unsafe, $"The text may not be added to a prompt: {string.Join("; ", found.Take(MostNamed))}{more}.");
    }

    /// <summary>The first that does not hold, as the condition of all.</summary>
    public static Condition Ready(string good, params Condition[] all) =>
        (all.FirstOrDefault(c => c.Status == Condition.False) ?? all.FirstOrDefault(c => c.Status == Condition.Unknown) ?? new(Condition.Ready, Condition.True, "Ready", good)) with { Type = Condition.Ready };
}
