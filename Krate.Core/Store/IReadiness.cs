namespace Krate.Core.Store;

/// <summary>A part that must run before Krate takes traffic. All registered ones are asked at <c>/readyz</c>, often: answer from memory or one cheap query.</summary>
public interface IReadiness
{
    /// <summary>Short name in the answer (<c>store</c>, <c>controllers</c>).</summary>
    string Name { get; }

    /// <returns>Null when ready, else what is missing, in words without secrets.</returns>
    ValueTask<string?> CheckAsync(CancellationToken ct);
}
