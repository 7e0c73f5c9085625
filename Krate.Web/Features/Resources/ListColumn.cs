using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Resources;

/// <summary>A column that the list of one kind has in place of those of the table of kinds.</summary>
/// <param name="Read">Null shows a dash.</param>
public sealed record ListColumn(string Name, Func<Resource, ListCell?> Read)
{
    /// <summary>Told to who points at the head.</summary>
    public string? Hint { get; init; }

    /// <summary>Numbers and times stand at the right.</summary>
    public bool IsRight { get; init; }
}

/// <summary>What a cell says, and smaller below it what more there is to know.</summary>
public sealed record ListCell(string Text, string? More = null)
{
    public Status? Status { get; init; }

    /// <summary>Names, paths and commands.</summary>
    public bool IsCode { get; init; }

    public string? Url { get; init; }

    public DateTimeOffset? Time { get; init; }

    public static ListCell Of(Status status, string? more = null) => new(status.Word, more) { Status = status };
}
