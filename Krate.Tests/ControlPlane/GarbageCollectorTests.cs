using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.ControlPlane;

public sealed class GarbageCollectorTests
{
    private const string Ns = "default";

    [Fact]
    public async Task What_is_owned_goes_with_its_owner_and_so_does_what_that_owns()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var owner = await MakeAsync(world, "owner");
        var child = await MakeAsync(world, "child", owner);
        await MakeAsync(world, "grandchild", child);
        await MakeAsync(world, "stranger");
        await world.DeleteAsync("ConfigMap", Ns, "owner");
        await world.GoneAsync("ConfigMap", Ns, "child");
        await world.GoneAsync("ConfigMap", Ns, "grandchild");
        Assert.NotNull(await world.FindAsync("ConfigMap", Ns, "stranger"));
    }

    [Fact]
    public async Task What_has_another_owner_stays_and_loses_the_reference()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var (leaves, stays) = (await MakeAsync(world, "leaves"), await MakeAsync(world, "stays"));
        await MakeAsync(world, "child", leaves, stays);
        await world.DeleteAsync("ConfigMap", Ns, "leaves");
        var child = await world.UntilAsync("ConfigMap", Ns, "child", c => Owners(c!).Count() == 1);
        Assert.Equal([stays.Uid], Owners(child));
    }

    [Fact]
    public async Task An_owner_of_the_same_name_but_another_uid_owns_nothing()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var first = await MakeAsync(world, "owner");
        await world.DeleteAsync("ConfigMap", Ns, "owner");
        await MakeAsync(world, "owner");
        await MakeAsync(world, "late", first);
        await world.GoneAsync("ConfigMap", Ns, "late");
        Assert.NotNull(await world.FindAsync("ConfigMap", Ns, "owner"));
    }

    [Fact]
    public async Task Foreground_the_owner_goes_last()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var owner = await MakeAsync(world, "owner");
        await MakeAsync(world, "child", finalizer: "example.com/hold", owners: owner);
        await world.DeleteAsync("ConfigMap", Ns, "owner", "Foreground");
        await world.UntilAsync("ConfigMap", Ns, "child", c => c!.IsDeleting);
        Assert.True((await world.FindAsync("ConfigMap", Ns, "owner"))!.IsDeleting);
        await world.ChangeAsync("ConfigMap", Ns, "child", d => d.Child("metadata").Remove("finalizers"));
        await world.GoneAsync("ConfigMap", Ns, "owner");
        Assert.Null(await world.FindAsync("ConfigMap", Ns, "child"));
    }

    [Fact]
    public async Task Orphans_stay_without_the_reference()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        var owner = await MakeAsync(world, "owner");
        await MakeAsync(world, "child", owner);
        // The collector has heard of the child once it has heard of anything later.
        var marker = await MakeAsync(world, "marker");
        await MakeAsync(world, "marked", marker);
        await world.DeleteAsync("ConfigMap", Ns, "marker");
        await world.GoneAsync("ConfigMap", Ns, "marked");
        await world.DeleteAsync("ConfigMap", Ns, "owner", "Orphan");
        await world.GoneAsync("ConfigMap", Ns, "owner");
        Assert.Empty(Owners((await world.FindAsync("ConfigMap", Ns, "child"))!));
    }

    [Fact]
    public async Task What_happened_while_nobody_ran_is_found_at_the_start()
    {
        await using var world = await ControlPlaneWorld.StartAsync(run: false);
        var owner = await MakeAsync(world, "owner");
        await MakeAsync(world, "child", owner);
        var waits = await MakeAsync(world, "waits");
        await MakeAsync(world, "child-of-waits", waits);
        await world.DeleteAsync("ConfigMap", Ns, "owner");
        await world.DeleteAsync("ConfigMap", Ns, "waits", "Foreground");
        await world.RunAsync();
        await world.GoneAsync("ConfigMap", Ns, "child");
        await world.GoneAsync("ConfigMap", Ns, "child-of-waits");
        await world.GoneAsync("ConfigMap", Ns, "waits");
    }

    private static IEnumerable<string> Owners(Resource resource) =>
        resource.Metadata["ownerReferences"] is System.Text.Json.Nodes.JsonArray all ? all.Select(o => o.Text("uid")!) : [];

    private static Task<Resource> MakeAsync(ControlPlaneWorld world, string name, params Resource[] owners) => MakeAsync(world, name, "", owners);

    private static Task<Resource> MakeAsync(ControlPlaneWorld world, string name, string finalizer, params Resource[] owners)
    {
        var references = string.Join(", ", owners.Select(o => $"{{apiVersion: v1, kind: ConfigMap, name: {o.Name}, uid: {o.Uid}, controller: {(owners[0] == o ? "true" : "false")}, blockOwnerDeletion: true}}"));
        return world.CreateAsync($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, finalizers: [{finalizer}], ownerReferences: [{references}]}}, data: {{a: b}}}}", Ns);
    }
}
