using System.Text;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>
/// A place in a document in the notation of fieldsV1: each step is <c>f:name</c> (a member), <c>k:{"type":"Ready"}</c> (an
/// element of a keyed list) or <c>.</c> (the thing itself). A value.
/// </summary>
internal sealed class OwnedField(params string[] steps) : IEquatable<OwnedField>, IComparable<OwnedField>
{
    public const string Self = ".";

    private readonly int hash = steps.Aggregate(17, (h, s) => HashCode.Combine(h, string.GetHashCode(s, StringComparison.Ordinal)));

    public static OwnedField Root { get; } = new();

    public IReadOnlyList<string> Steps => steps;

    public bool IsRoot => steps.Length == 0;

    public OwnedField Member(string name) => Then("f:" + name);

    public OwnedField Element(string key, string value) => Then($"k:{KrateJson.ToText(new JsonObject { [key] = value })}");

    public OwnedField Then(string step) => new([.. steps, step]);

    public bool StartsWith(OwnedField other) =>
        other.Steps.Count <= steps.Length && other.Steps.SequenceEqual(steps.Take(other.Steps.Count), StringComparer.Ordinal);

    public bool Equals(OwnedField? other) => other is not null && hash == other.hash && steps.AsSpan().SequenceEqual(other.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as OwnedField);

    public override int GetHashCode() => hash;

    public int CompareTo(OwnedField? other)
    {
        for (var i = 0; i < steps.Length && i < other!.Steps.Count; i++)
        {
            var order = string.CompareOrdinal(steps[i], other.Steps[i]);
            if (order != 0) return order;
        }

        return steps.Length.CompareTo(other!.Steps.Count);
    }

    /// <summary>As Kubernetes prints it in conflicts: <c>.status.conditions[type="Ready"].status</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var step in steps)
        {
            if (step.StartsWith("f:", StringComparison.Ordinal)) text.Append('.').Append(step, 2, step.Length - 2);
            else if (KeyOf(step) is { } key) text.Append('[').Append(key.Name).Append("=\"").Append(key.Value).Append("\"]");
        }

        return text.ToString();
    }

    /// <summary>The key and value of an element step; null for the other kinds of steps.</summary>
    public static (string Name, string Value)? KeyOf(string step)
    {
        if (!step.StartsWith("k:", StringComparison.Ordinal)) return null;
        try
        {
            var (name, value) = KrateJson.ParseObject(step[2..]).First();
            return (name, value?.ToString() ?? "");
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private ReadOnlySpan<string> AsSpan() => steps;
}
