using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>A Krate that waits for nobody and takes little.</summary>
public sealed class ImpatientWorld : GitWorld
{
    protected override string[] Settings { get; } =
    [
        "--Krate:Outbound:AllowedHosts=localhost;::1",
        "--Krate:Limits:ImportSilenceSeconds=1", "--Krate:Limits:ImportMegabytes=4", "--Krate:Limits:ImportMemoryMegabytes=128", "--Krate:Limits:PushAnswerSeconds=1",
    ];
}

[CollectionDefinition]
public sealed class ImpatientCollection : ICollectionFixture<ImpatientWorld>;
